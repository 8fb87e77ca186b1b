#!/usr/bin/env bash
# Molecule scenarios on the tests' lab: all, or those named as arguments.
. "$(dirname "$0")/common.sh"

scenarios=("$@")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(default plan multi_model pd gateway gaie modelservice httproute verify teardown dynamo lab)
for scenario in "${scenarios[@]}"; do
  heading "molecule: $scenario"
  # The scenario of the role lab starts and stops a lab of its own.
  lab_name="$TEST_LAB"
  [ "$scenario" != lab ] || lab_name="$TEST_LAB-second"
  inventory=lab
  [ "$scenario" != dynamo ] || inventory=lab-dynamo
  molecule reset --scenario-name "$scenario" > /dev/null 2>&1
  molecule test --scenario-name "$scenario" -- -i "$PWD/inventories/$inventory" -e "lab_name=$lab_name"
done
