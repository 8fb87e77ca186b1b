#!/usr/bin/env bash
# Run a command in a copy of this checkout that lies where Ansible expects a collection
# (ansible_collections/llm_d/orchestrator, kubernetes.core beside it), as ansible-test demands.
. "$(dirname "$0")/common.sh"

root="$CACHE/tree-$(pwd | sha256sum | cut -c1-12)/ansible_collections"
copy="$root/llm_d/orchestrator"
site_packages="$(python -c 'import ansible, pathlib; print(pathlib.Path(ansible.__file__).parent.parent)')"

rm -rf "$copy"
mkdir -p "$copy" "$root/kubernetes"
ln -sfn "$site_packages/ansible_collections/kubernetes/core" "$root/kubernetes/core"
# What git tracks or would track, without the symlink that points back here.
git ls-files -z --cached --others --exclude-standard -- . ':!playbooks/collections' |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  tar --null --files-from=- --create | tar --extract --directory "$copy"
export ANSIBLE_COLLECTIONS_PATH="${root%/ansible_collections}"
cd "$copy" || exit
exec "$@"
