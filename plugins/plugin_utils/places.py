# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a user has written what a diagnosis names: images, arguments, names of Secrets and claims."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import is_own, origin, texts

# A shorter text, or one of a key that only names things, stands in many sentences by chance.
SHORTEST = 6
NAMES = ("name", "namespace", "model", "kind", "version")
# Not what a stack is made of.
APART = re.compile(r"ansible_|.*(kubeconfig|_dir|_home|_namespace|_chart_ref|_binary)\b")
# More places of one cause are none.
MOST = 3
# What may not stand beside a text where it is meant as a whole.
BEFORE, AFTER = r"(?<![\w./:@=-])", r"(?![\w/@=-]|[.:]\w)"
Written = tuple[str, str]


def with_places(causes: t.Iterable[dict], variables: t.Mapping[str, t.Any]) -> list[dict]:
    """Return causes with the `places` of the user's values that their evidence names. variables: of the host."""
    written = [*_in_variables(variables), *_in_files(variables)]
    return [{**cause, "places": _places(" ".join(cause["evidence"]), written)} for cause in causes]


def _places(said: str, written: t.Iterable[Written]) -> list[str]:
    named = [(text, place) for text, place in written if re.search(BEFORE + re.escape(text) + AFTER, said)]
    longest = max((len(text) for text, _place in named), default=0)
    found = list(dict.fromkeys(place for text, place in named if len(text) == longest))
    return found if len(found) <= MOST else []


def _in_variables(variables: t.Mapping[str, t.Any]) -> t.Iterator[Written]:
    """Yield (text, 'FILE:LINE') of what may be named."""
    for name, value in variables.items():
        if name in ("hostvars", "vars") or APART.match(str(name)):
            continue
        for path, text in texts(str(name), value):
            key = re.split(r"[.\[]", path)[-1]
            file, line = origin(text)
            if file and line and _tells(key, text) and not is_own(file):
                yield str(text), f"{_short(file)}:{line}"


def _in_files(variables: t.Mapping[str, t.Any]) -> t.Iterator[Written]:
    """Yield (text, 'FILE:LINE') of the stack's values files that are on this machine."""
    plan = variables.get("stack_plan")
    parts = ((plan.get("stack") or {}) if isinstance(plan, dict) else {}).get("parts") or []
    for file in dict.fromkeys(str(file) for part in parts for file in part.get("values_files") or []):
        if not os.path.isfile(file):
            continue
        with open(file, encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                key, _colon, rest = line.strip().removeprefix("- ").partition(": ")
                text = (rest or key).split(" #")[0].strip(" \"'")
                if _tells(key if rest else "", text):
                    yield text, f"{_short(file)}:{number}"


def _short(file: str) -> str:
    """Return a file as seen from the user's folder, where it lies below."""
    here = os.path.join(os.path.realpath(os.environ.get("PWD") or os.getcwd()), "")
    return os.path.realpath(file).removeprefix(here)


def _tells(key: str, text: str) -> bool:
    return len(text) >= SHORTEST and key not in NAMES and "{{" not in text
