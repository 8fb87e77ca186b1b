#!/usr/bin/env bash
# The commands in README.md and docs/, as a reader would follow them, against the tests' running lab.
. "$(dirname "$0")/common.sh"

heading "the commands in README.md and docs/"
python tests/docs_commands.py "$@"
