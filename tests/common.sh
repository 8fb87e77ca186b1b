#!/usr/bin/env bash
# Sourced by the test scripts: one meaning of the cache, the lab's binaries and a heading.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}"
export XDG_STATE_HOME="${XDG_STATE_HOME:-$HOME/.local/state}"
CACHE="$XDG_CACHE_HOME/llm-d-orchestrator"
TEST_LAB="${TEST_LAB:-test}"
LAB_STATE="$XDG_STATE_HOME/llm-d-orchestrator/labs/$TEST_LAB"
export CACHE TEST_LAB LAB_STATE
export LAB_KUBECONFIG="$LAB_STATE/kubeconfig"

# The lab's own Helm and kubectl, once it is up: what is tested is what is deployed with.
if [ -f "$LAB_STATE/lab.json" ]; then
  PATH="$(python3 -c 'import json, os, sys
lab = json.load(open(sys.argv[1]))
print(os.pathsep.join(os.path.dirname(lab[tool]) for tool in ("helm", "kubectl")))' "$LAB_STATE/lab.json"):$PATH"
  export PATH
fi

heading() { printf '\n=== %s (%s s since the start)\n' "$1" "$SECONDS"; }

# Run a playbook on the tests' own lab.
lab_playbook() { ansible-playbook -i inventories/lab -e "lab_name=$TEST_LAB" "$@"; }
