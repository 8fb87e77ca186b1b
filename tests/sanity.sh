#!/usr/bin/env bash
# ansible-test sanity, with the Python that runs the tests; there is no ignore file.
. "$(dirname "$0")/common.sh"

heading "ansible-test sanity"
python_version="$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
tests/as_collection.sh ansible-test sanity --color no --python "$python_version"
