# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Image references: parsed, found in objects, and rewritten to a site's registry.

Imports nothing of this collection: Helm runs a copy of this file as its post-renderer, see _post_render.py.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import typing as t

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]


# Imports nothing of ours: Helm runs a copy of this file alone.
Object = dict[str, t.Any]
# Keys and indexes.
Path = tuple[t.Any, ...]
DOCKER = "docker.io"
# What an injected proxy's container says instead of an image; the injector replaces it.
INJECTED = "auto"
# The grammar of distribution/reference, parts of it in Go's package of that name.
_NAME = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_PATH = re.compile(rf"{_NAME}(?:/{_NAME})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
# A YAML node's anchor and tag.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
# An image with its registry and a tag or digest, alone or behind an option's equals sign.
_EMBEDDED = re.compile(
    rf"(?:^|=)([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/{_NAME}(?:/{_NAME})*(?::\w[\w.-]{{0,127}}|@sha256:[0-9a-f]{{64}}))$"
)


@dataclasses.dataclass(frozen=True)
class Image:
    """A reference with nothing left out: `busybox` has the host docker.io and the path library/busybox.

    tag and digest are "" where there is none; digest is ALGORITHM:HEX.
    """

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.path}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_image(text: str) -> Image:
    """Return what a reference names; raise ValueError for what is none."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError(f"{text!r} has no valid digest after the @")
    head, slash, tail = rest.partition("/")
    named = bool(slash) and ("." in head or ":" in head or head == "localhost" or head != head.lower())
    host, path = (head, tail) if named else (DOCKER, rest)
    path, colon, tag = path.partition(":")
    if host in (DOCKER, "index.docker.io"):
        host, path = DOCKER, path if "/" in path else f"library/{path}"
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path) or (colon and not _TAG.fullmatch(tag)):
        raise ValueError(f"{text!r} is not a valid image reference")
    return Image(host, path, tag, digest)


def checked_registry(text: str) -> str:
    """Return a site's registry as HOST[/PATH]; raise ValueError that says what to write instead."""
    registry = text.strip().rstrip("/")
    host, _slash, path = registry.partition("/")
    wanted = "a registry's host, with its port and a path where it has them, such as registry.site.example:5000/mirror"
    if "://" in registry:
        raise ValueError(f"{text!r} is a URL: use {wanted}")
    known = "." in host or ":" in host or host == "localhost"
    if not known or not _HOST.fullmatch(host) or (path and not _PATH.fullmatch(path)):
        raise ValueError(f"{text!r} is not a valid registry: use {wanted}")
    return registry


def place_in(image: Image) -> str:
    """Return where an image is kept below a site's registry: its own registry's host is the first part of the path."""
    return str(dataclasses.replace(image, host=_part(image.host)))


def _part(host: str) -> str:
    # A path takes no colon, bracket or capital.
    return re.sub(r"[^a-z0-9.-]+", "-", host.lower()).strip("-")


def rewritten(text: str, registry: str) -> str:
    """Return a reference in a site's registry; one that is there already, or is no reference, stays as it is."""
    if text == INJECTED or text.startswith(registry + "/"):
        return text
    try:
        return f"{registry}/{place_in(parse_image(text))}"
    except ValueError:
        return text


class FoundImage(t.NamedTuple):
    """An image in an object. path: of its text; owner: the object and container, for messages; new: when rewritten."""

    path: Path
    text: str
    owner: str
    new: str


def find_images(item: Object, registry: str = "") -> list[FoundImage]:
    """Return the images of an object: of containers at any depth, of volumes, of variables named ...IMAGE.

    Also {registry, repository, tag} as controllers' own kinds have it; its text is then the joined reference and its
    path that of the key that is rewritten. new is what each becomes in a site's registry ("" as registry: no change).
    """
    if item.get("kind") == "CustomResourceDefinition":
        return []
    metadata = item.get("metadata") or {}
    owner = " ".join([str(item.get("kind")), "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))])
    found: list[FoundImage] = []
    for key, value in item.items():
        if key not in ("metadata", "data", "stringData", "binaryData"):
            _walk(value, (key,), owner, registry, found)
    return found


def _walk(value: t.Any, path: Path, owner: str, registry: str, found: list[FoundImage]) -> None:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            _walk(entry, (*path, index), owner, registry, found)
    elif isinstance(value, dict):
        name = value.get("name")
        here = f"{owner} {name}" if isinstance(name, str) and path[-1] != "metadata" else owner
        for key, entry in value.items():
            place = (*path, key)
            if key == "image" and isinstance(entry, dict) and isinstance(entry.get("repository"), str):
                found.append(_of_map(entry, place, here, registry))
            elif isinstance(entry, str) and entry and _names_image(place, value):
                found.append(FoundImage(place, entry, here, rewritten(entry, registry) if registry else entry))
            else:
                _walk(entry, place, here, registry, found)


def _names_image(path: Path, parent: Object) -> bool:
    if path[-1] == "image" or path[-2:] == ("image", "reference"):
        return True
    is_variable = path[-1] == "value" and str(parent.get("name") or "").upper().endswith("IMAGE")
    return is_variable and bool(_EMBEDDED.match(parent["value"]))


def _of_map(entry: Object, path: Path, owner: str, registry: str) -> FoundImage:
    base, repository = str(entry.get("registry") or ""), entry["repository"]
    text = f"{base}/{repository}" if base else repository
    text += f":{entry['tag']}" if entry.get("tag") else ""
    text += f"@{entry['digest']}" if entry.get("digest") else ""
    key, value = ("registry", base) if base else ("repository", repository)
    if not registry or value == registry or value.startswith(registry + "/"):
        return FoundImage((*path, key), text, owner, value)
    host, slash, rest = value.partition("/")
    if not base and "." not in host and ":" not in host:
        # Its registry is the controller's default, which is not ours to know: the check of what is rewritten names it.
        return FoundImage((*path, key), text, owner, value)
    return FoundImage((*path, key), text, owner, f"{registry}/{_part(host)}{slash}{rest}")


def elsewhere(item: Object, registry: str) -> list[str]:
    """Return texts of an object that look like images of other registries and are not rewritten, with their place."""
    images, found = {entry.path for entry in find_images(item)}, []

    def look(value: t.Any, path: Path) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, entry in entries:
            look(entry, (*path, key))
        match = _EMBEDDED.search(value) if isinstance(value, str) and path not in images else None
        if match and not match[1].startswith(registry + "/"):
            found.append(f"{item.get('kind')} {item['metadata'].get('name')} {'.'.join(map(str, path))}: {match[1]}")

    for key, value in item.items():
        if key != "metadata" and item.get("kind") != "Secret":
            look(value, (key,))
    return found


def rewrite_object(item: Object, registry: str) -> Object:
    """Return an object with its images in a site's registry; the given one is changed."""
    for entry in find_images(item, registry):
        target: t.Any = item
        for key in entry.path[:-1]:
            target = target[key]
        target[entry.path[-1]] = entry.new
    return item


def rewrite_manifest(text: str, registry: str) -> str:
    """Return YAML documents with their images in a site's registry and every other character as it was."""
    changes: dict[int, tuple[int, str]] = {}
    loader = getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader
    nodes = yaml.compose_all(text, Loader=loader)
    for node, document in zip(nodes, yaml.load_all(text, Loader=loader), strict=True):
        for item, path in _items(document):
            for entry in find_images(item, registry):
                _change(node, (*path, *entry.path), entry.new, text, changes)
    for start in sorted(changes, reverse=True):
        end, new = changes[start]
        text = text[:start] + new + text[end:]
    return text


def _items(document: t.Any) -> t.Iterator[tuple[Object, Path]]:
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
        for index, item in enumerate(document.get("items") or []):
            yield item, ("items", index)
    elif isinstance(document, dict):
        yield document, ()


def _change(node: t.Any, path: Path, new: str, text: str, changes: dict[int, tuple[int, str]]) -> None:
    for key in path:
        if isinstance(node, yaml.SequenceNode):
            node = node.value[t.cast(int, key)]
        else:
            # Of a key given twice the last one holds.
            node = [value for name, value in node.value if name.value == key][-1]
    if node.value == new:
        return
    start, end = node.start_mark.index, node.end_mark.index
    # A node begins at its anchor or tag, and a block ends behind its last line.
    start += t.cast("re.Match[str]", _PROPERTIES.match(text[start:end])).end()
    changes[start] = (end, f'"{new}"' + ("\n" if text[start:end].endswith("\n") else ""))


def main() -> None:
    """Rewrite standard input, for Helm."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(rewrite_manifest(sys.stdin.read(), sys.argv[1]))


if __name__ == "__main__":
    main()
