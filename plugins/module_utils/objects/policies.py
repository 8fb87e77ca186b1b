# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the controller of NVIDIA's LLM Router reads: policies with their classes, as its config.yaml has them.

The controller takes the model at the position of the class that its classifier names; a class's own name is read only
where a request chooses it by hand (NVIDIA-AI-Blueprints/llm-router, llm-router-gateway-api/src/proxy.rs and config.rs).
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from ..base import plain_yaml
from ..base.data import Object, dicts, kind, mapping
from ..base.findings import Path
from ..base.names import did_you_mean

# The classes of each classifier, in the order of its outputs.
CLASSES: dict[str, tuple[str, ...]] = {
    "task_router": (
        "Brainstorming",
        "Chatbot",
        "Classification",
        "Closed QA",
        "Code Generation",
        "Extraction",
        "Open QA",
        "Other",
        "Rewrite",
        "Summarization",
        "Text Generation",
        "Unknown",
    ),
    "complexity_router": (
        "Creativity",
        "Reasoning",
        "Contextual-Knowledge",
        "Few-Shot",
        "Domain-Knowledge",
        "No-Label-Reason",
        "Constraint",
    ),
}
SMALL = "meta-llama/Llama-3.1-8B-Instruct"
LARGE = "meta-llama/Llama-3.1-70B-Instruct"
CREATIVE = "mistralai/Mixtral-8x22B-Instruct-v0.1"
# The tables of the recipe for Dynamo with this router; Other and Unknown, which they lack, are those of its file.
RECIPE: dict[str, dict[str, str]] = {
    "task_router": dict.fromkeys(CLASSES["task_router"], SMALL)
    | dict.fromkeys(("Brainstorming", "Code Generation", "Open QA"), LARGE)
    | dict.fromkeys(("Chatbot", "Other", "Text Generation"), CREATIVE),
    "complexity_router": dict.fromkeys(CLASSES["complexity_router"], SMALL)
    | dict.fromkeys(("Creativity", "Reasoning", "Few-Shot"), LARGE)
    | {"Domain-Knowledge": CREATIVE},
}
FIELDS = ("name", "api_base", "api_key", "model")
ENSEMBLE = "_ensemble"
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_ENSEMBLE_OF = re.compile(rf"/v2/models/([^/]+){ENSEMBLE}(?:/|\Z)")
Environment = t.Mapping[str, "str | None"]


class Llm(t.NamedTuple):
    """Where requests of one class go."""

    name: str
    api_base: str
    api_key: str
    model: str


class Policy(t.NamedTuple):
    """A policy: its classifier's address, and its classes in the order of that one's outputs."""

    name: str
    url: str
    llms: tuple[Llm, ...]


class ConfigMistake(t.NamedTuple):
    """What is wrong at a path of the configuration, and what to write instead."""

    path: Path
    what: str
    fix: str = ""


def ensemble_url(service: str, policy: str) -> str:
    """Return the address at which a Triton server answers for a policy. service: http://HOST:PORT."""
    return f"{service}/v2/models/{policy}{ENSEMBLE}/infer"


def ensemble_of(url: str) -> str:
    """Return the policy of whose classifier an address is, "" where it does not say."""
    found = _ENSEMBLE_OF.search(url)
    return found[1] if found else ""


def classes_of(name: str, url: str = "") -> tuple[str, ...]:
    """Return the classes of the classifier behind an address, or else of a policy's name; () where neither is known."""
    return CLASSES.get(ensemble_of(url) or name.strip(), ())


def expanded(text: str, environment: Environment) -> str:
    """Return a text with ${NAME} replaced as the controller does; what is not set, or not known, stays."""

    def value(found: re.Match[str]) -> str:
        known = environment.get(found[1])
        return found[0] if known is None else known

    return _VARIABLE.sub(value, text)


def variables_in(text: str) -> list[str]:
    """Return the names in a text's ${NAME}, each once."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def config_text(policies: t.Iterable[Policy]) -> str:
    """Return the file that the controller reads."""
    rows = [{"name": one.name, "url": one.url, "llms": [llm._asdict() for llm in one.llms]} for one in policies]
    return plain_yaml.yaml.safe_dump({"policies": rows}, sort_keys=False, width=120)


def parsed(text: str, environment: Environment) -> list[Policy]:
    """Return the policies of a file as the controller comes to have them; raise YAMLError where it is no YAML."""
    return policies_of(plain_yaml.load(expanded(text, environment)))


def policies_of(data: t.Any) -> list[Policy]:
    """Return the policies of a configuration, as far as they can be read."""
    return [
        Policy(
            str(policy.get("name") or ""),
            str(policy.get("url") or ""),
            tuple(Llm(*(str(llm.get(field) or "") for field in FIELDS)) for llm in dicts(policy.get("llms"))),
        )
        for policy in dicts(mapping(data).get("policies"))
    ]


def told(policies: t.Iterable[Policy]) -> list[Object]:
    """Return policies as plain data, without keys."""
    return [
        {
            "name": one.name,
            "url": one.url,
            "llms": [{"name": llm.name, "api_base": llm.api_base, "model": llm.model} for llm in one.llms],
        }
        for one in policies
    ]


def misfits(data: t.Any, environment: Environment) -> list[ConfigMistake]:
    """Return what is wrong with a configuration before its variables are replaced.

    environment: the controller's, None for a value that is set and not known.
    """
    policies = mapping(data).get("policies")
    if not isinstance(policies, list) or not policies:
        return [
            ConfigMistake(("policies",), f"is {_a(policies)}", ("use a list of policies, each with name, url and llms"))
        ]
    found: list[ConfigMistake] = []
    names: dict[str, int] = {}
    for index, policy in enumerate(policies):
        path: Path = ("policies", index)
        if not isinstance(policy, dict):
            found.append(ConfigMistake(path, f"is {_a(policy)}", "use a map with name, url and llms"))
            continue
        found += _policy(policy, path, environment)
        first = names.setdefault(str(policy.get("name")).strip(), index)
        if first != index:
            text = f"{policy.get('name')!r} is also the name of policies[{first}], and only the first is used"
            found.append(ConfigMistake((*path, "name"), text, "use a unique name"))
    return found


def class_misfits(names: t.Sequence[str], wanted: t.Sequence[str], path: Path, *, ordered: bool) -> list[ConfigMistake]:
    """Return what is wrong with the classes of a policy. path: of their list; ordered: whether their order counts."""
    found, seen = [], dict[str, int]()
    for index, name in enumerate(names):
        place = (*path, index, "name")
        if name not in wanted:
            fix = "use one of: " + ", ".join(wanted)
            found.append(ConfigMistake(place, f"{name!r} is not one of its classes.{did_you_mean(name, wanted)}", fix))
        elif name in seen:
            found.append(
                ConfigMistake(place, f"{name!r} is a duplicate of class number {seen[name] + 1}", "remove one of them")
            )
        seen.setdefault(name, index)
    missing = [name for name in wanted if name not in seen]
    if missing:
        text = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        found.append(ConfigMistake(path, text, f"list all of its {len(wanted)} classes, each with a model"))
    if ordered and not found and list(names) != list(wanted):
        index = next(index for index, name in enumerate(names) if name != wanted[index])
        text = f"{names[index]!r} is at the position of {wanted[index]}: the position decides, not the name"
        found.append(ConfigMistake((*path, index, "name"), text, "use the order " + ", ".join(wanted)))
    return found


def base_misfit(url: str) -> tuple[str, str] | None:
    """Return what is wrong with an api_base and what to write, None where nothing is."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return (
            f"{url!r} is not a valid address",
            "use an address such as http://SERVICE.NAMESPACE.svc.cluster.local:8000",
        )
    bare = re.sub(r"(?<!/)(/+v1)*/*\Z", "", url)
    if re.search(r"/v1/*\Z", parts.path):
        return f"{url} ends in /v1, which is already in each request's path: /v1/v1/... is not found", bare
    return None


def _policy(policy: Object, path: Path, environment: Environment) -> t.Iterator[ConfigMistake]:
    yield from _text(policy, "name", path, environment)
    wrong = list(_text(policy, "url", path, environment))
    yield from wrong
    url = expanded(str(policy.get("url") or ""), environment)
    if not wrong and not urllib.parse.urlsplit(url).netloc:
        yield ConfigMistake(
            (*path, "url"), f"{url!r} is not a valid address", ensemble_url("http://SERVICE:8000", "task_router")
        )
    llms = policy.get("llms")
    if not isinstance(llms, list) or not llms:
        yield ConfigMistake((*path, "llms"), f"is {_a(llms)}", "use a list of classes, each with " + ", ".join(FIELDS))
        return
    for index, llm in enumerate(llms):
        yield from _llm(llm, (*path, "llms", index), environment)
    wanted = classes_of(str(policy.get("name") or ""), url)
    names = [str(mapping(llm).get("name") or "").strip() for llm in llms]
    if wanted:
        yield from class_misfits(names, wanted, (*path, "llms"), ordered=True)


def _llm(llm: t.Any, path: Path, environment: Environment) -> t.Iterator[ConfigMistake]:
    if not isinstance(llm, dict):
        yield ConfigMistake(path, f"is {_a(llm)}", "use a map with " + ", ".join(FIELDS))
        return
    wrong = {field: list(_text(llm, field, path, environment)) for field in FIELDS}
    for found in wrong.values():
        yield from found
    base = expanded(str(llm.get("api_base") or ""), environment)
    if not wrong["api_base"] and "${" not in base and (misfit := base_misfit(base)):
        yield ConfigMistake((*path, "api_base"), *misfit)


def _text(entry: Object, field: str, path: Path, environment: Environment) -> t.Iterator[ConfigMistake]:
    """Yield what is wrong with a field that has to be a text with something in it."""
    place, value = (*path, field), entry.get(field)
    if not isinstance(value, str):
        yield ConfigMistake(place, f"is {_a(value)}", "use a string" if value is None else f'use a string: "{value}"')
        return
    unset = [name for name in variables_in(value) if name not in environment]
    if unset:
        text = f"${{{unset[0]}}} is not set in the controller's environment, so it is not replaced"
        yield ConfigMistake(place, text, f"add {unset[0]} to routerController.env")
    elif not expanded(value, environment).strip():
        text = "is empty" if not value.strip() else f"{value} is empty: the controller does not start"
        yield ConfigMistake(place, text, "use any text if no key is required" if field == "api_key" else "use a string")


def _a(value: t.Any) -> str:
    return "missing" if value is None else "empty" if value in ([], {}, "") else f"a {kind(value)}"
