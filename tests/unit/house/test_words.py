# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Words in plugins/: a class's name means one thing, and nothing is decided by the words of our own messages."""

from __future__ import annotations

import ast
import collections
import pathlib
import re
import typing as t

PLUGINS = pathlib.Path(__file__).resolve().parents[3] / "plugins"
# Ansible looks for classes of these names in each plugin's file.
OF_ANSIBLE = {"ActionModule", "CallbackModule", "FilterModule", "InventoryModule", "LookupModule", "ModuleDocFragment"}

# Names of variables, fields and keys that hold what is said.
MESSAGE = re.compile(
    r"(?:^|_)(text|message|msg|note|hint|detail|said|why|told|problem|error|exc|exception|stderr|reason|output)s?$"
)
METHODS = {
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "partition",
    "rpartition",
    "split",
    "find",
    "index",
}
PATTERN_METHODS = {"search", "match", "fullmatch", "findall", "finditer", "sub", "split"}
WORDS = re.compile(r"[A-Za-z][A-Za-z' ]*[A-Za-z]")

# What decides by words that messages of ours happen to hold too: whose text it is. Texts of ours are no reason.
HELM, KUBELET = "what Helm prints", "what the kubelet says of a container"
LOGS = "what programs write to their logs"
API_SERVER = "what the API server and its admission say in a Status"
TEXTS_OF_OTHERS = {
    ("module_utils/charts/registry.py", "'Error: '"): HELM,
    ("module_utils/charts/registry.py", "'not found'"): HELM,
    ("module_utils/cluster/client.py", "'CERTIFICATE_VERIFY_FAILED'"): "what OpenSSL says",
    ("module_utils/cluster/refusals.py", "' is forbidden: '"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_BAD"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_CLASS"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_GO_FIELD"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_GRANTS"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_OWN"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_PERMISSION"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_QUOTA"): API_SERVER,
    ("module_utils/cluster/refusals.py", "_SECURITY"): API_SERVER,
    ("module_utils/kustomize/program.py", "'Error: '"): "what kustomize prints",
    ("module_utils/kustomize/culprit.py", "'error: '"): "what kustomize prints",
    ("module_utils/kustomize/culprit.py", "_FIELD"): "what kustomize prints",
    ("module_utils/diagnose/base.py", "'FailedCreate'"): "the reason of an event of Kubernetes' controllers",
    ("module_utils/diagnose/rules_scheduling.py", "_PLUGIN"): KUBELET,
    ("module_utils/diagnose/rules_start.py", "_EMPTY_DIR"): KUBELET,
    ("module_utils/diagnose/rules_volumes.py", "_WAITED"): KUBELET,
    ("module_utils/diagnose/statements.py", "'File \"'"): LOGS,
    ("module_utils/diagnose/statements.py", "_NOISE"): LOGS,
    ("module_utils/diagnose/statements.py", "_POINTER"): LOGS,
    ("module_utils/helm/command.py", "'ensure CRDs are installed first'"): HELM,
    ("module_utils/helm/command.py", "'forbidden'"): HELM,
    ("module_utils/helm/command.py", "'invalid ownership metadata'"): HELM,
    ("module_utils/helm/command.py", "'no matches for kind'"): HELM,
    ("module_utils/helm/command.py", "BUSY"): HELM,
    ("module_utils/diagnose/dynamo/operators.py", "_CALLING"): "what the API server says of webhooks",
    ("module_utils/diagnose/dynamo/router.py", "HELD"): "what the kubelet says of a volume",
    ("module_utils/diagnose/dynamo/router.py", "NO_GPU"): "what the scheduler says",
    ("module_utils/helm/command.py", "NO_MEMORY"): "what Go prints",
    ("module_utils/helm/command.py", "TRANSIENT"): HELM,
    ("module_utils/lab/gobuild.py", r"'^\\s*(?:replace\\s+)?(\\S+)(?:\\s+v\\S+)?\\s+=>\\s+\\./'"): "a go.mod",
    ("module_utils/objects/pods.py", "ABSENT_IMAGE"): KUBELET,
    ("module_utils/objects/pods.py", "TRANSIENT_PULL"): KUBELET,
    ("module_utils/objects/rollout.py", "CLASSLESS"): "what the scheduler says of a pod",
    ("module_utils/rules/refused.py", "'Required value'"): API_SERVER,
    ("module_utils/schemas/infer.py", "'.Values'"): "a chart's template",
    ("module_utils/verify/prober.py", "'data:'"): "a stream of server-sent events",
}


class File:
    """One file of plugins/, parsed."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.tree = name, ast.parse(source)
        self.constants: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.constants.update({one.id: node.value for one in targets if isinstance(one, ast.Name)})

    def prose(self) -> set[str]:
        """Return the texts of several words that the code holds, without docstrings and what is only looked for."""
        homes = [node for node in ast.walk(self.tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
        docs = {id(node.body[0].value) for node in homes if node.body and isinstance(node.body[0], ast.Expr)}
        needles = {id(part) for _node, needle, _held in self.decisions() for part in self.constants_of(needle)}
        texts = [node for node in ast.walk(self.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        return {node.value for node in texts if " " in node.value.strip() and id(node) not in docs | needles}

    def constants_of(self, needle: ast.expr | None) -> list[ast.Constant]:
        """Return the texts that an expression is made of, those of the module's constants that it names included."""
        if isinstance(needle, ast.Constant):
            return [needle] if isinstance(needle.value, str) else []
        if isinstance(needle, ast.Name):
            return self.constants_of(self.constants.get(needle.id))
        made_of = isinstance(needle, (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.BinOp))
        parts = list(ast.iter_child_nodes(needle)) if made_of and needle else []
        if isinstance(needle, ast.Call):  # re.compile
            parts = list(needle.args[:1])
        return [one for part in parts if isinstance(part, ast.expr) for one in self.constants_of(part)]

    def decisions(self) -> t.Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
        """Yield (expression, what is looked for, where) of each comparison and search."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Compare):
                for operation, right in zip(node.ops, node.comparators, strict=True):
                    if isinstance(operation, (ast.In, ast.NotIn)):
                        yield node, node.left, right
                    elif isinstance(operation, (ast.Eq, ast.NotEq)):
                        pairs = ((node.left, right), (right, node.left))
                        yield from ((node, one, other) for one, other in pairs if any(map(_phrase, ast.walk(one))))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                home = node.func.value
                if isinstance(home, ast.Name) and home.id == "re":
                    yield from [(node, node.args[0], one) for one in node.args[1:]]
                elif node.func.attr in PATTERN_METHODS and isinstance(home, ast.Name) and home.id.isupper():
                    yield node, home, node.args[-1]
                elif node.func.attr in METHODS:
                    yield node, node.args[0], home

    def by_own_words(self, prose: str) -> t.Iterator[tuple[ast.expr, ast.expr, str]]:
        """Yield (expression, what is looked for, words) of what is decided by words that stand in the prose."""
        for node, needle, held in self.decisions():
            words = [word for one in self.constants_of(needle) for word in WORDS.findall(one.value) if len(word) > 3]
            if not isinstance(needle, ast.Constant):  # of a pattern one word tells little
                words = [word for word in words if " " in word]
            own = [word for word in words if re.search(rf"\b{re.escape(word)}\b", prose)]
            if own and any(map(_says, ast.walk(held))):
                yield node, needle, own[0]


def _phrase(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip()


def _says(node: ast.AST) -> bool:
    """Return whether a variable, field or key holds what is said."""
    name = getattr(node, "id", getattr(node, "attr", getattr(node, "value", "")))
    return isinstance(name, str) and bool(MESSAGE.search(name))


def files() -> list[File]:
    return [File(str(path.relative_to(PLUGINS)), path.read_text(encoding="utf-8")) for path in PLUGINS.rglob("*.py")]


def test_class_name_means_one_thing() -> None:
    found = collections.defaultdict(list)
    for file in files():
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef) and node.name not in OF_ANSIBLE:
                found[node.name].append(file.name)
    assert {name: names for name, names in found.items() if len(names) > 1} == {}


def test_nothing_is_decided_by_the_words_of_our_own_messages() -> None:
    given = files()
    prose = "\n".join(text for file in given for text in file.prose())
    found = {
        (file.name, ast.unparse(needle)): f"line {node.lineno}: {ast.unparse(node)} looks for {word!r}"
        for file in given
        for node, needle, word in file.by_own_words(prose)
    }
    assert {key: text for key, text in found.items() if key not in TEXTS_OF_OTHERS} == {}
    assert set(TEXTS_OF_OTHERS) - set(found) == set(), "no longer needed"


PLANTED = """
RELEASE = "its Helm release"
def known(problem, text, exc, row):
    yield "the selector" in text
    yield RELEASE in problem
    yield str(exc).startswith("it does not serve")
    yield re.search("no Gateway (.*)", row["message"])
    yield text.partition("there is no Secret ")[2]
    yield text == "it does not serve"
"""


def test_what_decides_by_own_words_is_found() -> None:
    prose = "the selector asks; its Helm release is; it does not serve X; no Gateway in; there is no Secret"
    found = [node.lineno for node, _needle, _word in File("planted.py", PLANTED).by_own_words(prose)]
    assert sorted(found) == [4, 5, 6, 7, 8, 9]
