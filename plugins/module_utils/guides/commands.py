# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the commands of a guide's scripts do: Helm releases, kustomizations, objects, files, and what else there is.

The words keep their variables; they are replaced when a variant is chosen.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from .pages import Script
from .report import At
from .shell import ShellLine, ShellWord, read_lines, segments, uncommented
from .variables import Definition, GuideVariables, assignments, choices_of

# Programs that change nothing on a cluster.
HARMLESS = (
    "git", "cd", "echo", "cat", "curl", "jq", "yq", "source", ".", "ls", "sleep", "read", "set", "printf", "mkdir",
    "cp", "mv", "rm", "chmod", "export", "unset", "wait", "true", "false", "pwd", "python", "python3", "pip",
    "pip3", "uv", "for", "do", "done", "if", "then", "else", "elif", "fi", "while", "case", "esac", "[", "[[",
    "test", "grep", "awk", "head", "tail", "sort", "wc", "envsubst", "sed", "tee", "base64", "local", "return",
    "exit", "function", "watch", "open", "seq", "xargs", "kind", "minikube", "conda", "pushd", "popd", "touch",
    "date", "tar", "wget", "unzip", "diff", "find", "tr", "cut", "trap", "exec", "break", "continue", "}",
)  # fmt: skip
# Verbs of kubectl that only look.
LOOKING = (
    "get", "describe", "logs", "wait", "rollout", "port-forward", "exec", "run", "top", "version", "config", "auth",
    "cluster-info", "explain", "api-resources", "api-versions", "diff", "events", "debug", "proxy", "cp", "attach",
    "kustomize", "completion", "options", "plugin",
)  # fmt: skip
# Options of helm and kubectl that take no value.
_SWITCHES = (
    "--install", "-i", "--create-namespace", "--wait", "--wait-for-jobs", "--atomic", "--dry-run", "--debug",
    "--devel", "--force", "--reset-values", "--reuse-values", "--dependency-update", "--skip-crds", "--no-hooks",
    "--server-side", "--force-conflicts", "--ignore-not-found", "--all", "--prune", "--recursive", "-R",
    "--overwrite", "--rm", "-it", "--cleanup-on-fail", "--take-ownership", "--hide-notes",
    "--disable-openapi-validation", "--render-subchart-notes", "--skip-schema-validation",
    "--insecure-skip-tls-verify", "--plain-http", "--verify",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Option:
    """An option and its value as written."""

    name: str
    value: ShellWord


@dataclasses.dataclass(frozen=True)
class PageCommand:
    """A command that changes a cluster, or that nothing here knows.

    kind: helm, kustomize, objects, namespace, secret, helmfile, removal or other; arguments: what stands without an
    option; sed: what the output of kustomize goes through; offered: whether it is commented out; folder: the folder
    that the page has changed to, relative to the root, None where it has not.
    """

    kind: str
    script: Script
    at: At
    written: str
    options: tuple[Option, ...] = ()
    arguments: tuple[ShellWord, ...] = ()
    sed: tuple[ShellWord, ...] = ()
    offered: bool = False
    folder: str | None = None

    def values(self, *names: str) -> list[ShellWord]:
        """Return the values of an option, in order."""
        return [option.value for option in self.options if option.name in names]


def read_script(script: Script, variables: GuideVariables, folder: str | None) -> tuple[list[PageCommand], str | None]:
    """Return a script's commands, and the folder that it ends in; its variables are noted."""
    found: list[PageCommand] = []
    for line in script.lines:
        at = At(script.file, line.number)
        set_here = assignments(line)
        for name, raw in set_here:
            variables.define(Definition(name, raw, at, script.number, choices_of(line.comment), when=script.when))
        if line.broken:
            found.append(PageCommand("other", script, at, f"{line.text} ({line.broken})", folder=folder))
        elif set_here:
            continue
        elif not line.words:
            found += _offered(line, script, folder)
        else:
            folder = _folder(line, folder)
            found += _commands(line, script, at, folder)
    return found, folder


def _folder(line: ShellLine, folder: str | None) -> str | None:
    """Return the folder after a line: pages change to one once and name files below it from then on."""
    for operator, words in segments(line.words):
        if len(words) == 2 and words[0].text == "cd" and operator in ("", "&&", ";"):
            name = re.sub(r"^\$\{?REPO_ROOT\}?/?", "", words[1].text).strip("/")
            if "$" in name:
                return folder
            if name.startswith("guides"):
                return os.path.normpath(name)
            if name in ("llm-d", "", "-"):
                return None
            return os.path.normpath(os.path.join(folder or "", name)) if folder is not None else None
    return folder


def _offered(line: ShellLine, script: Script, folder: str | None) -> list[PageCommand]:
    """Return a command that is commented out, for a choice that is not the default."""
    written = "\n".join(uncommented([line.text]))
    if not re.match(r"\s*(kubectl apply|helm (install|upgrade))\b", written):
        return []
    found = [
        one
        for inner in read_lines(written, line.number)
        for one in _commands(inner, script, At(script.file, line.number), folder)
    ]
    return [dataclasses.replace(one, offered=True) for one in found]


def _commands(line: ShellLine, script: Script, at: At, folder: str | None) -> list[PageCommand]:
    pipes: list[list[list[ShellWord]]] = []
    for operator, words in segments(line.words):
        if operator in ("|", "|&") and pipes:
            pipes[-1].append(words)
        else:
            pipes.append([words])
    found = []
    for pipe in pipes:
        command = _command(pipe, script, at, line.text)
        if command is not None:
            found.append(dataclasses.replace(command, folder=folder))
    return found


def _program(words: list[ShellWord]) -> list[ShellWord]:
    """Return a command without what stands before its program: variables, sudo, a loop's word, a prompt's sign."""
    while words and (
        re.match(r"[A-Za-z_]\w*=", words[0].text)
        or words[0].text in ("sudo", "do", "then", "else", "time", "$", "!", "{")
    ):
        words = words[1:]
    return words


def _command(pipe: list[list[ShellWord]], script: Script, at: At, text: str) -> PageCommand | None:
    parts = [part for part in (_program(words) for words in pipe) if part]
    if not parts:
        return None
    names = [part[0].text.rpartition("/")[2] for part in parts]
    applied = next(
        (
            part
            for name, part in zip(names, parts, strict=True)
            if name in ("kubectl", "oc") and _verb(part) in ("apply", "create", "replace")
        ),
        None,
    )
    deleted = any(
        name in ("kubectl", "oc") and _verb(part) == "delete" for name, part in zip(names, parts, strict=True)
    )
    if deleted:
        return PageCommand("removal", script, at, text)
    if len(parts) > 1 and applied is not None:
        return _piped(parts, names, applied, script, at, text)
    name, words = names[0], parts[0]
    if name == "helm":
        return _helm(words, script, at, text)
    if name == "helmfile":
        options, arguments = _options(words[1:])
        verbs = [word.text for word in arguments]
        kind = "removal" if {"destroy", "delete"} & set(verbs) else "helmfile"
        known = {"apply", "sync", "destroy", "delete"} & set(verbs)
        return PageCommand(kind, script, at, text, tuple(options), tuple(arguments)) if known else None
    if name in ("kubectl", "oc"):
        return _kubectl(words, script, at, text)
    if name == "kustomize":
        changes = len(words) > 1 and words[1].text == "edit"
        return PageCommand("other", script, at, text) if changes else None
    if name == "sed" and any(word.text.startswith("-i") for word in words):
        return PageCommand("other", script, at, text)
    if name in HARMLESS or name.startswith(("#", "--", "<", "$", "llmdbenchmark", "run_only")):
        return None
    return PageCommand("other", script, at, text)


def _verb(words: list[ShellWord]) -> str:
    _options_, arguments = _options(words[1:])
    return arguments[0].text if arguments else ""


def _piped(
    parts: list[list[ShellWord]], names: list[str], applied: list[ShellWord], script: Script, at: At, text: str
) -> PageCommand | None:
    """Return what is applied through a pipe: a kustomization, a file, or what kubectl itself prints."""
    options, _arguments = _options(applied[1:])
    first = parts[0]
    if names[0] in ("kubectl", "oc", "kustomize") and len(first) > 1 and first[1].text in ("kustomize", "build"):
        own, arguments = _options(first[2:])
        seds = [part for name, part in zip(names, parts, strict=True) if name == "sed"]
        sed = tuple(word for part in seds for word in part[1:] if not word.text.startswith("-"))
        if "envsubst" in names:
            return PageCommand("objects", script, at, text, (*own, *options), tuple(arguments))
        return PageCommand("kustomize", script, at, text, (*own, *options), tuple(arguments[:1]), sed)
    if names[0] in ("kubectl", "oc") and _verb(first) == "create":
        return _kubectl(first, script, at, text)
    if names[0] == "envsubst":
        files = [first[n + 1] for n, word in enumerate(first[:-1]) if word.text == "<"]
        return PageCommand("objects", script, at, text, tuple(options), tuple(files))
    return PageCommand("objects", script, at, text, tuple(options))


def _helm(words: list[ShellWord], script: Script, at: At, text: str) -> PageCommand | None:
    options, arguments = _options(words[1:])
    verb = arguments[0].text if arguments else ""
    if verb in ("uninstall", "delete", "rollback"):
        return PageCommand("removal", script, at, text)
    if verb not in ("install", "upgrade"):
        return None
    return PageCommand("helm", script, at, text, tuple(options), tuple(arguments[1:]))


def _kubectl(words: list[ShellWord], script: Script, at: At, text: str) -> PageCommand | None:
    options, arguments = _options(words[1:])
    verb = arguments[0].text if arguments else ""
    rest = tuple(arguments[1:])
    if verb == "delete":
        return PageCommand("removal", script, at, text)
    if verb == "rollout" and rest and rest[0].text in ("restart", "undo", "pause", "resume"):
        return PageCommand("other", script, at, text)
    if verb in LOOKING or not verb:
        return None
    if verb in ("apply", "create", "replace"):
        folders = [option.value for option in options if option.name in ("-k", "--kustomize")]
        if folders:
            return PageCommand("kustomize", script, at, text, tuple(options), tuple(folders))
        kind = rest[0].text if rest and verb == "create" else ""
        if kind in ("namespace", "ns"):
            return PageCommand("namespace", script, at, text, tuple(options), rest[1:])
        if kind == "secret":
            return PageCommand("secret", script, at, text, tuple(options), rest[1:])
        files = tuple(option.value for option in options if option.name in ("-f", "--filename"))
        return PageCommand("objects", script, at, text, tuple(options), files or rest)
    return PageCommand("other", script, at, text, tuple(options), rest)


def _options(words: t.Sequence[ShellWord]) -> tuple[list[Option], list[ShellWord]]:
    """Return the options of helm or kubectl with their values, and what stands without one."""
    options: list[Option] = []
    arguments: list[ShellWord] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        text = word.text
        if not text.startswith("-") or text == "-" or (word.parts and word.parts[0].quote):
            arguments.append(word)
            continue
        if text == "--":
            break
        name, equals, _value = text.partition("=")
        if equals and text.startswith("--"):
            options.append(Option(name, _after(word, len(name) + 1)))
        elif text in _SWITCHES or at >= len(words):
            options.append(Option(text, ShellWord(())))
        elif re.match(r"-[fnk][^-=]", text):
            options.append(Option(text[:2], _after(word, 2)))
        else:
            options.append(Option(text, words[at]))
            at += 1
    return options, arguments


def _after(word: ShellWord, size: int) -> ShellWord:
    """Return a word without its first signs."""
    parts = []
    for part in word.parts:
        cut = part.text[size:] if size else part.text
        size = max(0, size - len(part.text))
        parts.append(part._replace(text=cut))
    return ShellWord(tuple(part for part in parts if part.text or part.quote))
