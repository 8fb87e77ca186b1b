#!/usr/bin/env bash
# The quick part of what `make chaos` does, against the tests' running lab.
. "$(dirname "$0")/common.sh"

heading "deployments that are killed or locked out"
(cd tests/chaos && python run.py --quick --lab "$TEST_LAB")
