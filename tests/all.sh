#!/usr/bin/env bash
# Every test. What needs no lab runs beside what does, as the lab's tests mostly wait; its output follows when it ends.
# The lab that they share, and whose Helm they use, is removed at the end, whatever happened.
. "$(dirname "$0")/common.sh"

beside="$(mktemp)"
finish() {
  if [ -n "${static:-}" ]; then
    kill -- "-$static" 2> /dev/null || :
  fi
  rm -f "$beside"
  lab_playbook playbooks/lab_down.yml > /dev/null
}
trap finish EXIT

heading "the tests' own lab (binaries are fetched or built on the first run)"
lab_playbook playbooks/lab_up.yml

# A process group of its own, so that all of it can be ended.
set -m
(tests/unit.sh && tests/lint.sh && tests/sanity.sh) > "$beside" 2>&1 &
static=$!
set +m

tests/integration.sh
tests/mutations.sh
tests/molecule.sh
tests/package.sh

outcome=0
wait "$static" || outcome=$?
static=
cat "$beside"
if [ "$outcome" != 0 ]; then
  echo "unit tests, linters or sanity failed, see above" >&2
  exit "$outcome"
fi
heading "done"
