#!/usr/bin/env bash
# What needs the tests' running lab: the lab itself and its serving plane, bad input, and the commands in the docs.
. "$(dirname "$0")/common.sh"

heading "integration: the lab, its serving plane, bad input"
outcome=0
pytest -q --durations=12 tests/integration_lab || outcome=$?
# Other tests run beside these: what failed has one more try by itself, and is named when it passes then.
if [ "$outcome" = 1 ]; then
  heading "integration: what failed, once more; what passes now is unsteady and wants mending"
  pytest -q --last-failed tests/integration_lab
elif [ "$outcome" != 0 ]; then
  exit "$outcome"
fi
heading "integration: deployments that are killed or locked out"
(cd tests/chaos && python run.py --quick --lab "$TEST_LAB")
heading "integration: the commands in README.md and docs/"
python tests/docs_commands.py
