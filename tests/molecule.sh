#!/usr/bin/env bash
# Molecule scenarios on the tests' lab: all, or those named as arguments. Two take long and are run by their names: distributed
# has six machines, cli compiles the program where npm's build does not run.
. "$(dirname "$0")/common.sh"

# The crate that a scenario compiles is kept.
export CARGO_TARGET_DIR="$CACHE/cargo-target"
scenarios=("$@")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(default plan multi_model pd gateway gaie modelservice httproute verify teardown dynamo kubernetes lab single hybrid)
for scenario in "${scenarios[@]}"; do
  heading "molecule: $scenario"
  # The scenario of the role lab starts and stops a lab of its own.
  lab_name="$TEST_LAB"
  [ "$scenario" != lab ] || lab_name="$TEST_LAB-second"
  inventory=lab
  [ "$scenario" != dynamo ] || inventory=lab-dynamo
  [ "$scenario" != kubernetes ] || inventory=lab-orchestrator
  with=(-i "$PWD/inventories/$inventory" -e "lab_name=$lab_name")
  case "$scenario" in
    # On machines of their own.
    single | hybrid | distributed)
      export MACHINES_LAB="$TEST_LAB-${scenario:0:6}"
      machines="$XDG_STATE_HOME/llm-d-orchestrator/machines/$MACHINES_LAB/inventory.yml"
      with=(-i "$machines" -e "lab_machines_name=$MACHINES_LAB" -e "@$PWD/molecule/shared/vars/machines.yml")
      ;;
  esac
  molecule reset --scenario-name "$scenario" > /dev/null 2>&1
  molecule test --scenario-name "$scenario" -- "${with[@]}"
done
