#!/usr/bin/env bash
# Every test, in three lanes side by side, as the labs' tests mostly wait. What the second and third lane print follows
# when they have ended. The labs are removed at the end, whatever happened.
. "$(dirname "$0")/common.sh"

OTHER_LAB="$TEST_LAB-other"
lanes=()
names=()
logs="$(mktemp -d)"

finish() {
  for lane in "${lanes[@]}"; do
    kill -- "-$lane" 2> /dev/null || continue
  done
  rm -rf "$logs"
  lab_playbook playbooks/lab_down.yml > /dev/null
  TEST_LAB="$OTHER_LAB" lab_playbook playbooks/lab_down.yml > /dev/null
}
trap finish EXIT

# Start scripts one after another in the background, in a process group of their own, so that all of it can be ended.
beside() {
  local name="$1"
  shift
  set -m
  (for script in "$@"; do "$script" || exit; done) > "$logs/$name" 2>&1 &
  set +m
  lanes+=("$!")
  names+=("$name")
}

heading "the tests' own labs (binaries are fetched or built on the first run)"
lab_playbook playbooks/lab_up.yml
TEST_LAB="$OTHER_LAB" lab_playbook playbooks/lab_up.yml

beside static tests/unit.sh tests/awx.sh tests/lint.sh tests/docs.sh tests/sanity.sh
# The mutations come last: they take definitions away for a while, which the lab's gateway controller does not get over.
TEST_LAB="$OTHER_LAB" beside other-lab tests/molecule.sh tests/package.sh tests/mutations.sh

outcome=0
tests/integration.sh || outcome=$?
failed=()
for index in "${!lanes[@]}"; do
  wait "${lanes[$index]}" || failed+=("${names[$index]}")
  cat "$logs/${names[$index]}"
done
lanes=()
if [ "$outcome" != 0 ] || [ ${#failed[@]} -gt 0 ]; then
  heading "failed: $([ "$outcome" = 0 ] || echo "integration ")${failed[*]}"
  exit 1
fi
heading "done"
