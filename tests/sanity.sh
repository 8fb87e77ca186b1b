#!/usr/bin/env bash
# ansible-test sanity, with the Python that runs the tests; there is no ignore file.
# ANSIBLE_CORE=2.18 takes the newest 2.18 instead of the pinned ansible-core, in a virtual environment of its own.
. "$(dirname "$0")/common.sh"

heading "ansible-test sanity${ANSIBLE_CORE:+ of ansible-core $ANSIBLE_CORE}"
python_version="$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
# A home of its own: ansible-test keeps its virtual environments and get-pip.py there.
test_home="$CACHE/ansible-test"
# The pip that ansible-test of the pinned ansible-core asks for.
pip_version=24.2
mkdir -p "$test_home/.ansible/test/cache"
cp tests/get_pip.py "$test_home/.ansible/test/cache/get_pip_${pip_version//./_}.py"
ansible_test=(ansible-test)
if [ -n "${ANSIBLE_CORE:-}" ]; then
  core="$CACHE/core-$ANSIBLE_CORE-$python_version"
  [ -x "$core/bin/ansible-test" ] || { python -m venv "$core" && "$core/bin/pip" install --quiet "ansible-core==$ANSIBLE_CORE.*"; }
  ansible_test=(env "PATH=$core/bin:$PATH" ansible-test)
fi
HOME="$test_home" tests/as_collection.sh "${ansible_test[@]}" sanity "$@" --color no --python "$python_version"
