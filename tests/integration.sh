#!/usr/bin/env bash
# What needs the tests' running lab: the lab itself and its serving plane, bad input, and the commands in the docs.
. "$(dirname "$0")/common.sh"

heading "integration: the lab, its serving plane, bad input"
pytest -q --durations=12 tests/integration_lab
heading "integration: deployments that are killed or locked out"
(cd tests/chaos && python run.py --quick --lab "$TEST_LAB")
heading "integration: the commands in README.md and docs/"
python tests/docs_commands.py
