# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a module of this collection inside Ansible's own worker process.

Packing a module and starting another Python for it costs most of a second, several times a deployment. Where the
module would run on this machine under this very Python anyway, its code is called here instead. Everywhere else
(another interpreter, a remote connection, become, a task environment) it is run as any module.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import sys
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import mask
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import (
    as_text,
    removed_afterwards,
    secrets,
)
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.background import start
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.compiled import keep_compiled
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import tell

# New objects after which Python looks for garbage; 700 by default, which costs planning a tenth of its time.
GARBAGE = 50_000
MODULES = "ansible_collections.llm_d.orchestrator.plugins.modules."


class Ended(Exception):
    """A module has given its result."""

    def __init__(self, result: dict) -> None:
        self.result = result
        super().__init__()


class InProcessModule:
    """What our modules use of AnsibleModule: parameters, check and diff mode, warn, and the two ways to end."""

    def __init__(
        self,
        argument_spec: dict,
        arguments: dict,
        *,
        check_mode: bool,
        diff: bool,
        supports_check_mode: bool = True,
    ) -> None:
        """arguments: the task's. Raises Ended where they do not fit the specification."""
        # As plain JSON, which is how a module of another process would get them.
        plain = as_text(json.loads(json.dumps(arguments, default=str)))
        validated = ArgumentSpecValidator(argument_spec).validate(plain)
        self.params = validated.validated_parameters
        self.check_mode, self._diff = check_mode, diff
        self.warnings: list[str] = []
        self._secrets = validated._no_log_values | secrets(plain)
        if validated.error_messages:
            self.fail_json(msg="; ".join(validated.error_messages))

    def warn(self, text: str) -> None:
        """Show a warning with the result."""
        self.warnings.append(text)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        """End with success."""
        raise Ended(remove_values({"changed": False, **result, "warnings": self.warnings}, self._secrets))

    def say(self, text: str) -> None:
        """Show a line at once: the module is going to wait."""
        tell(text)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        """End with failure; msg says why."""
        self.exit_json(**result, failed=True)


def discreet(result: dict) -> dict:
    """Return a result that Ansible keeps from the screen where a user's values brought secrets into it."""
    return (
        result
        if result.get("failed") or mask(result) == result
        else {**result, "_ansible_no_log": True, "hidden": True}
    )


def call(name: str, arguments: dict, *, check_mode: bool, diff: bool) -> dict:
    """Return the result of a module of this collection that is run here; name: without the collection's."""
    make = functools.partial(InProcessModule, arguments=arguments, check_mode=check_mode, diff=diff)
    try:
        importlib.import_module(MODULES + name).main(make)
    except Ended as ended:
        return ended.result
    raise AssertionError(f"{name} ended without a result")


class InProcessAction(ActionBase):
    """The action plugin of a module whose main() takes what makes its module."""

    _supports_check_mode = True
    _supports_async = True

    def __init_subclass__(cls, **kwargs: t.Any) -> None:
        """Load the module where its action is loaded: in Ansible's main process, before it forks for each host."""
        super().__init_subclass__(**kwargs)
        keep_compiled()
        package, _dot, name = cls.__module__.rpartition(".")
        if package.endswith(".action"):  # not what the files of plugins/action are links to
            importlib.import_module(MODULES + name)
        # What is loaded for good is not looked through for garbage again, nor copied for that by each fork. The forks
        # end after one task, so that looking for garbage seldom is enough.
        gc.freeze()
        gc.set_threshold(max(GARBAGE, gc.get_threshold()[0]))

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result; of one that runs in the background, that it was started."""
        result = super().run(tmp, task_vars)
        if not self._here(task_vars or {}):
            return discreet(
                {**result, **self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val))}
            )
        if self._task.async_val:
            folder = self.get_shell_option("async_dir", default="~/.ansible_async")
            return {**result, **start(self._call, folder, self._task.async_val)}
        return discreet({**result, **self._call()})

    def _call(self) -> dict:
        task = self._task
        with removed_afterwards():
            return call(task.action.rpartition(".")[2], dict(task.args), check_mode=task.check_mode, diff=task.diff)

    def _here(self, task_vars: dict) -> bool:
        """Return whether the module would run on this machine, as this user, under this Python."""
        interpreter = self._templar.template(task_vars.get("ansible_python_interpreter") or "")
        plain = not self._task.become and not any(self._task.environment or [])
        return self._connection.transport == "local" and plain and interpreter == sys.executable
