# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a build of LLM-Orchestrator on the host and reads its version and verbs; only Ansible's own modules go there."""

from __future__ import annotations

import posixpath
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import program
from ansible_collections.llm_d.orchestrator.plugins.modules import orchestrator_program_info

NOTHING = {"exists": False, "works": False, "problem": "", "version": "", "verbs": [], "lacks": []}


class ActionModule(ActionBase):
    """Takes path or help_text, version_text, requires and expected; see the module of the same name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return what the program says of itself, failed where it does not run or lacks a verb that is required."""
        result = super().run(tmp, task_vars)
        spec = argument_spec(orchestrator_program_info.DOCUMENTATION)
        _valid, args = self.validate_argument_spec(
            argument_spec=spec, required_one_of=[["path", "help_text"]], mutually_exclusive=[["path", "help_text"]]
        )
        found, fix = self._asked(args, task_vars or {}) if args["path"] else (self._told(args), "")
        name = posixpath.basename(args["path"] or "") or "llm-orchestrator"
        wants = f" ({args['expected']} needs {', '.join(args['requires'])})" if args["expected"] else ""
        if args["requires"] and not found["works"]:
            message, hint = f"{args['path'] or name} does not run: {found['problem']}{wants}", fix
        else:
            found["lacks"], message = program.lacking(found["verbs"], args["requires"], name, found["version"])
            message += wants if message else ""
            hint = "use a build that has them: what is released up to 0.1.x has validate and run only"
        failed = {"failed": True, "msg": str(OrchestratorError(message, hint))} if message else {}
        return {**result, "changed": False, **found, **failed}

    def _told(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        found = {"version": program.version(args["version_text"]), "verbs": program.verbs(args["help_text"])}
        return {**NOTHING, "exists": True, "works": True, **found}

    def _asked(self, args: dict[str, t.Any], task_vars: dict) -> tuple[dict[str, t.Any], str]:
        """Return what the program on the host says, and what to do where it does not run."""
        told = self._run(args["path"], "--help", task_vars)
        if told.get("rc") is None:
            raise OrchestratorError(f"{args['path']} could not be run: {told.get('msg')}")
        # Only what has run has taken a time; else the code is the system's error.
        wrong = (
            program.problem(told["rc"], "\n".join(str(told.get(key) or "") for key in ("stdout", "stderr")))
            if "delta" in told
            else program.refused(told["rc"])
        )
        if wrong is not None:
            return {**NOTHING, "exists": wrong.exists, "problem": wrong.what}, wrong.fix
        said = self._run(args["path"], "--version", task_vars)
        return self._told({"help_text": told["stdout"], "version_text": said.get("stdout") or ""}), ""

    def _run(self, path: str, option: str, task_vars: dict) -> dict:
        """Return the result of running the program: in check mode too, since it changes nothing."""
        check_mode, self._task.check_mode = self._task.check_mode, False
        try:
            command = {"argv": [path, option], "stdin": ""}
            return self._execute_module("ansible.legacy.command", module_args=command, task_vars=task_vars)
        finally:
            self._task.check_mode = check_mode
