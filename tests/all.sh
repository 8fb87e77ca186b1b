#!/usr/bin/env bash
# Every test; the lab that they share, and whose Helm they use, is removed at the end, whatever happened.
. "$(dirname "$0")/common.sh"

trap 'lab_playbook playbooks/lab_down.yml > /dev/null' EXIT
heading "the tests' own lab (binaries are fetched or built on the first run)"
lab_playbook playbooks/lab_up.yml
tests/unit.sh
tests/lint.sh
tests/sanity.sh
tests/integration.sh
tests/mutations.sh
tests/molecule.sh
tests/package.sh
heading "done"
