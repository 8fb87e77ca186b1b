#!/usr/bin/env bash
# The documentation's site, without a warning, and what antsibull-docs says of the specifications.
. "$(dirname "$0")/common.sh"

heading "documentation: specifications"
ANSIBLE_COLLECTIONS_PATH="$PWD/playbooks/collections" \
  antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
heading "documentation: the site"
python docs/site/build.py "$@"
