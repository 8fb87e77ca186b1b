#!/usr/bin/env bash
# The pages that people look at, in headless Chromium. PICTURES=FOLDER keeps the screenshots.
. "$(dirname "$0")/common.sh"

heading "pictures"
browser() { command -v chromium || command -v google-chrome || command -v chromium-browser; }
if ! browser > /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi
if ! browser > /dev/null; then
  echo "Chromium not found. Install it: sudo apt-get install chromium fonts-dejavu-core"
  [ -z "${CI:-}" ]
  exit
fi
[ -f .cache/docs/html/index.html ] || tests/docs.sh
CHROMIUM="$(browser)" python tests/pictures/look.py ${PICTURES:+"$PICTURES"}
