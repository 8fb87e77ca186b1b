#!/usr/bin/env bash
# Build the collection as it is published, let Galaxy's import checks see it, install it into an empty place, and run its
# playbooks by name from another folder.
. "$(dirname "$0")/common.sh"

heading "build and install"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ansible-galaxy collection build --force --output-path "$work" .
# kubernetes.core is met by the copy that the ansible package bundles: no Galaxy server is asked.
# Forced, as the checkout's ansible.cfg has this collection installed already.
ansible-galaxy collection install --offline --force -p "$work/collections" "$work"/llm_d-orchestrator-*.tar.gz

heading "Galaxy's import checks"
# ansible-lint is a stage of its own, stricter and on the same files; the workflow of a release turns it on here too.
(
  cd "$work" || exit
  export GALAXY_IMPORTER_RUN_ANSIBLE_LINT="${GALAXY_IMPORTER_RUN_ANSIBLE_LINT:-false}" GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true
  python -m galaxy_importer.main llm_d-orchestrator-*.tar.gz > import.log 2>&1 || { cat import.log; exit 1; }
  if grep -E '^(WARNING|ERROR)' import.log; then exit 1; fi
  tail -n 1 import.log
)

heading "playbooks by name, from an empty folder"
mkdir "$work/elsewhere"
cp -r inventories/lab "$work/elsewhere/inventory"
cd "$work/elsewhere" || exit
export ANSIBLE_COLLECTIONS_PATH="$work/collections"
run() { ansible-playbook -i inventory -e "lab_name=$TEST_LAB" -e llm_d_namespace=by-name "$@"; }
run llm_d.orchestrator.lab_up
run llm_d.orchestrator.site | tee site.log
grep -q '^\[COMPLETE\]' site.log
run llm_d.orchestrator.verify
run llm_d.orchestrator.teardown -e teardown_confirm=true -e teardown_delete_namespace=true
for plugin in component_parts stack_info chart_values serving_info; do
  ansible-doc -t module "llm_d.orchestrator.$plugin" > /dev/null
done
