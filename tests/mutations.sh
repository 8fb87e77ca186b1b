#!/usr/bin/env bash
# Mistakes on purpose in correct stacks: planning has to name 95 % of them with the right key, and none that is not there.
. "$(dirname "$0")/common.sh"

heading "mutations: mistakes on purpose"
# MUTATIONS=--quick for one case of each kind.
python tests/mutations/run.py ${MUTATIONS:+"$MUTATIONS"} "$@"
