# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Stand in for get-pip.py: put pip into ansible-test's virtual environments from Python's own ensurepip.

ansible-test downloads get-pip.py from a host that a closed network does not reach, unless it finds this in its cache.
"""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys

# ensurepip turns the user's pip configuration off in this process: keep the environment as it was.
environment = {name: value for name, value in os.environ.items() if name != "GET_PIP"}
ensurepip.bootstrap()
# The options and the pinned packages are ansible-test's own; --no-setuptools and the like are get-pip.py's.
arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--no-")]
subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True, env=environment)
