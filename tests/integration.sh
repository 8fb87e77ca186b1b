#!/usr/bin/env bash
# What needs the tests' running lab: the lab itself and its serving plane, deployments, bad input.
. "$(dirname "$0")/common.sh"

# Another host's part is played by an sshd of the test's own.
if ! [ -x /usr/sbin/sshd ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server
fi

heading "integration: the lab, its serving plane, bad input"
outcome=0
pytest -q --durations=12 tests/integration_lab || outcome=$?
# Other tests run beside these: files in which one failed have one more try, and are named when they pass then. Whole
# files, as the tests of a file may share a deployment.
if [ "$outcome" = 1 ]; then
  heading "integration: what failed, once more; what passes now is unsteady and wants mending"
  mapfile -t failed < <(python -c 'import json
print(*sorted({test.split("::")[0] for test in json.load(open(".pytest_cache/v/cache/lastfailed"))}), sep="\n")')
  pytest -q "${failed[@]}"
elif [ "$outcome" != 0 ]; then
  exit "$outcome"
fi
