#!/usr/bin/env bash
# The playbook that sets up AWX, against a server that speaks AWX's API.
. "$(dirname "$0")/common.sh"

heading "AWX"
pytest -q --durations=5 tests/awx
