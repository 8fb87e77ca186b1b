#!/usr/bin/env bash
# Build the collection, install it into an empty place, and run its playbooks by name from another folder.
. "$(dirname "$0")/common.sh"

heading "build and install"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
ansible-galaxy collection build --force --output-path "$work" .
# kubernetes.core is met by the copy that the ansible package bundles: no Galaxy server is asked.
ansible-galaxy collection install --offline -p "$work/collections" "$work"/llm_d-orchestrator-*.tar.gz

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
for plugin in helm_releases stack_info chart_values probe; do
  ansible-doc -t module "llm_d.orchestrator.$plugin" > /dev/null
done
