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
tests/as_collection.sh mypy --config-file mypy.ini plugins/module_utils plugins/plugin_utils plugins/action plugins/callback
heading "shellcheck"
shellcheck -x --source-path=SCRIPTDIR .ci/run tests/*.sh
heading "changelog fragments"
antsibull-changelog lint
