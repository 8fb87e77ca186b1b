#!/usr/bin/env bash
# ansible-test sanity, with the Python that runs the tests; there is no ignore file.
. "$(dirname "$0")/common.sh"

heading "ansible-test sanity"
python_version="$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
# A home of its own: ansible-test keeps its virtual environments and get-pip.py there.
test_home="$CACHE/ansible-test"
# The pip that ansible-test of the pinned ansible-core asks for.
pip_version=24.2
mkdir -p "$test_home/.ansible/test/cache"
cp tests/get_pip.py "$test_home/.ansible/test/cache/get_pip_${pip_version//./_}.py"
HOME="$test_home" tests/as_collection.sh ansible-test sanity --color no --python "$python_version"
