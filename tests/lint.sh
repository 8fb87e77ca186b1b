#!/usr/bin/env bash
# Every linter, without skips.
. "$(dirname "$0")/common.sh"

heading "ruff"
ruff check .
ruff format --check .
heading "yamllint"
yamllint --strict .
heading "ansible-lint (production)"
tests/as_collection.sh ansible-lint --offline
heading "mypy"
collection=ansible_collections/llm_d/orchestrator
tests/as_collection.sh env --chdir ../../.. mypy --config-file $collection/mypy.ini \
  $collection/plugins/{module_utils,plugin_utils,action,callback}
heading "shellcheck"
shellcheck -x --source-path=SCRIPTDIR .ci/run tests/*.sh
heading "changelog fragments"
antsibull-changelog lint
