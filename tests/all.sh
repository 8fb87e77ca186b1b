#!/usr/bin/env bash
# Every test, in three lanes side by side, as the labs' tests mostly wait. What the second and third lane print follows
# when they have ended. The labs are removed at the end, whatever happened.
. "$(dirname "$0")/common.sh"

OTHER_LAB="$TEST_LAB-other"
DOCS_LAB="$TEST_LAB-docs"
lanes=()
names=()
logs="$(mktemp -d)"

finish() {
  for lane in "${lanes[@]}"; do
    kill -- "-$lane" 2> /dev/null || continue
  done
  rm -rf "$logs"
  for lab in "$TEST_LAB" "$OTHER_LAB" "$DOCS_LAB"; do
    TEST_LAB="$lab" lab_playbook playbooks/lab_down.yml > /dev/null
  done
}
trap finish EXIT

# Start scripts one after another in the background, in a process group of their own, so that all of it can be ended.
# Each runs whatever became of those before it, so that one run names all that fail.
beside() {
  local name="$1"
  shift
  set -m
  (
    failed=()
    for script in "$@"; do
      "$script" || failed+=("$script")
    done
    [ ${#failed[@]} = 0 ] || heading "failed in this lane: ${failed[*]}"
    [ ${#failed[@]} = 0 ]
  ) > "$logs/$name" 2>&1 &
  set +m
  lanes+=("$!")
  names+=("$name")
}

heading "the tests' own labs (binaries are fetched or built on the first run)"
for lab in "$TEST_LAB" "$OTHER_LAB" "$DOCS_LAB"; do
  TEST_LAB="$lab" lab_playbook playbooks/lab_up.yml
done

TEST_LAB="$DOCS_LAB" beside static-and-docs tests/unit.sh tests/lint.sh tests/docs.sh tests/pictures.sh tests/sanity.sh tests/awx.sh tests/docs_commands.sh
# The mutations come last: they take definitions away for a while, which the lab's gateway controller does not get over.
MUTATIONS=--quick TEST_LAB="$OTHER_LAB" beside other-lab tests/molecule.sh tests/package.sh tests/machines/run.sh tests/mutations.sh

outcome=0
{ tests/integration.sh && tests/chaos.sh; } || outcome=$?
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
