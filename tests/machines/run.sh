#!/usr/bin/env bash
# Roles for machines on a lab of machines, which needs root.
. "$(dirname "$0")/../common.sh"

export MACHINES_LAB="${MACHINES_LAB:-$TEST_LAB-stores}"
if [ "$(id -u)" != 0 ]; then
  echo "The tests of machines need root: they make network namespaces and boot root file systems." >&2
  # Where somebody works without root, the other tests go on; CI has root.
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi

down() { ansible-playbook playbooks/machines_down.yml -e "lab_machines_name=$MACHINES_LAB" > /dev/null; }
trap down EXIT

heading "a lab of machines (a base image is made on the first run)"
ansible-playbook playbooks/machines_up.yml -e @tests/machines/lab.yml -e "lab_machines_name=$MACHINES_LAB"
heading "database, cache and certificates"
inventory="$XDG_STATE_HOME/llm-d-orchestrator/machines/$MACHINES_LAB/inventory.yml"
ansible-playbook -i "$inventory" tests/machines/stores.yml
pytest -q tests/machines
heading "nothing is left"
down
trap - EXIT
pytest -q tests/machines/nothing_left.py
