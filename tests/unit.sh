#!/usr/bin/env bash
# Unit tests: pure logic, and the lab's charts rendered by the real helm.
. "$(dirname "$0")/common.sh"

heading "unit tests"
pytest -q tests/unit
