# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes secrets out of data that is to be written down."""

from __future__ import annotations

import re
import typing as t


def discreet(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    """Return data whose texts are without secrets: by looks, and those that are known."""
    if isinstance(value, dict):
        return {key: discreet(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [discreet(item, secrets) for item in value]
    if not isinstance(value, str):
        return value
    for text in secrets:
        value = value.replace(text, MASK)
    return mask_text(value)


MASK = "(masked)"
# Whole words at the end of a key, in snake_case, camelCase or kebab-case.
SECRET_WORDS = {"token", "tokens", "password", "passwd", "passphrase", "secret", "apikey", "credential", "credentials"}
SECRET_WORDS |= {"authorization", "pat", "pwd", "bearer"}
SECRET_PAIRS = {("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("auth", "key")}
SECRET_PAIRS |= {("key", "data")}
# Variables of this collection, and values of the router's chart, that hold the name of a Secret or of a key in it.
NAMES = re.compile(r"(\w+_)?(hf_token|api_key|pull|tls)_secret|apiKeySecret(Key)?")

VALUES = (
    re.compile(r"\bhf_[A-Za-z0-9]{8,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\b(?:ghp|gho|ghs|github_pat|glpat|nvapi)[_-][A-Za-z0-9_-]{16,}"),
    re.compile(r"\bAKIA[A-Z0-9]{16}\b"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=--api-key[= ])\S+|(?<=--token[= ])\S+|(?<=--hf-token[= ])\S+|(?<=--password[= ])\S+"),
    re.compile(r"(?i)\b(?:[a-z0-9_]*(?:token|password|secret|api_key))=(?!\$)[^\s\"']{6,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)

# A text with these words is a kubeconfig, in which keys tell what is secret.
KUBECONFIG = ("clusters", "contexts", "users")
IN_KUBECONFIG = re.compile(
    r"""((?:client-key-data|\b[a-z-]*token|\bpassword)["']?\s*:\s*)(?:"[^"]*"|'[^']*'|[^\s,}]+)"""
)
# A flag and its value in one text; what is taken from a variable ($...) is no secret itself.
FLAG = re.compile(r"(?<![\w-])(--[\w-]+)(?:=|\s+)[\"']?([^\s\"'$-][^\s\"']*)")


def is_secret_key(key: str) -> bool:
    """Return whether a key's value is a secret: it ends in such a word, and does not name a Secret object."""
    if NAMES.fullmatch(key):
        return False
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", key)]
    if not words or words[0] in ("max", "min", "num"):
        return False
    return words[-1] in SECRET_WORDS or tuple(words[-2:]) in SECRET_PAIRS


def is_secret_flag(text: t.Any) -> bool:
    """Return whether a command's argument is a flag whose value is a secret, as --api-key."""
    return isinstance(text, str) and text.startswith("--") and "=" not in text and is_secret_key(text)


def secret_arguments(items: t.Sequence[t.Any]) -> set[str]:
    """Return the values of secret flags in a command's arguments: beside the flag, or in one text with it."""
    found = set()
    for before, item in zip([None, *items], items, strict=False):
        if isinstance(item, str):
            found |= {value for flag, value in FLAG.findall(item) if is_secret_flag(flag)}
            if is_secret_flag(before) and not item.startswith(("-", "$")):
                found.add(item)
    return found


def mask_text(text: str) -> str:
    """Return a text without the tokens, passwords and keys that can be known by their looks."""
    for pattern in VALUES:
        text = pattern.sub(MASK, text)
    if all(word in text for word in KUBECONFIG):
        text = IN_KUBECONFIG.sub(rf"\g<1>{MASK}", text)
    return text


def mask(value: t.Any) -> t.Any:
    """Return a copy of data without secrets: by key, by look, and the data of Secret objects."""
    if isinstance(value, dict):
        return _mask_dict(value)
    if isinstance(value, (list, tuple)):
        return _mask_list(list(value))
    return mask_text(value) if isinstance(value, str) else value


def _mask_dict(value: dict) -> dict:
    if value.get("kind") == "Secret":
        hidden = {key: dict.fromkeys(value[key] or {}, MASK) for key in ("data", "stringData") if key in value}
        value = {**value, **hidden}
    # A container's environment: {name: HF_TOKEN, value: ...}.
    hides_value = isinstance(value.get("name"), str) and is_secret_key(value["name"]) and "value" in value
    result = {}
    for key, item in value.items():
        if (is_secret_key(str(key)) or (hides_value and key == "value")) and _is_text(item):
            result[key] = MASK
        else:
            result[key] = mask(item)
    return result


def _is_text(item: t.Any) -> bool:
    """Return whether there is something to hide; a bool, number or structure is judged by its own keys."""
    if isinstance(item, list):
        return any(isinstance(entry, str) for entry in item)
    return isinstance(item, str) and bool(item)


def _mask_list(items: list) -> list:
    result: list[t.Any] = []
    for before, item in zip([None, *items], items, strict=False):
        after_flag = is_secret_flag(before) and isinstance(item, str) and not item.startswith("-")
        result.append(MASK if after_flag else mask(item))
    return result


# A shorter text is a word of many others.
SHORTEST = 8


def secrets_in(value: t.Any) -> set[str]:
    """Return the texts under keys that name secrets, of variables of a container's environment and of flags that do."""
    if isinstance(value, (list, tuple)):
        given = {text for text in secret_arguments(value) if len(text) >= SHORTEST}
        return given.union(*(secrets_in(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    named = is_secret_key(str(value.get("name") or ""))
    for key, item in value.items():
        texts = [item] if isinstance(item, str) else item if isinstance(item, list) else []
        if is_secret_key(str(key)) or (named and key == "value"):
            # As plain text: Ansible's own kinds of it stay out of what is compared.
            found |= {str(text) for text in texts if isinstance(text, str) and len(text) >= SHORTEST}
        found |= secrets_in(item)
    return found


def without(value: t.Any, secrets: t.Iterable[str]) -> t.Any:
    """Return a copy of data in whose texts none of the secrets stands."""
    ordered = sorted(set(secrets), key=len, reverse=True)
    return _without(value, ordered) if ordered else value


def _without(value: t.Any, secrets: list[str]) -> t.Any:
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
