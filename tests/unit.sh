#!/usr/bin/env bash
# Unit tests: pure logic, and the lab's charts rendered by the real helm.
. "$(dirname "$0")/common.sh"

heading "unit tests"
if ! command -v helm > /dev/null; then
  lab_playbook playbooks/lab_up.yml
  . tests/common.sh
fi
pytest -q tests/unit
