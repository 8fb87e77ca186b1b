# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Build the documentation's site: python docs/site/build.py [FOLDER]; FOLDER/html/index.html is its first page.

The sources are put together first: the Markdown pages of docs/, CONTRIBUTING.md, CHANGELOG.rst, a page about the
playbooks, and what antsibull-docs writes about roles, modules and plugins. Every warning is an error: a page that is
missing from navigation.yml, a link to nowhere, a specification that cannot be shown.
"""

from __future__ import annotations

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import yaml

SITE = pathlib.Path(__file__).resolve().parent
ROOT = SITE.parent.parent
COLLECTION = "llm_d.orchestrator"
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]*)(#[^)\s]*)?(?=\))")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# Files outside docs/ that are pages of the site.
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.rst": "changelog.rst", "README.md": "index.md"}


class Missing(ValueError):
    """A link that leads nowhere, or a page that is not in the navigation."""


def site_path(target: pathlib.Path) -> str:
    """Return where the site has a file of the checkout; empty where it does not have it."""
    name = target.relative_to(ROOT).as_posix()
    if name in PAGES:
        return PAGES[name]
    # Pages about generated ones are linked to by the name that they have in the site.
    return name.removeprefix("docs/site/").removeprefix("docs/") if name.startswith("docs/") else ""


def link(page: pathlib.Path, match: re.Match[str], repository: str) -> str:
    """Return what a link of a page becomes: another page of the site, or the file in the repository.

    Raises Missing where the checkout has no such file.
    """
    target, here = (page.parent / match[1]).resolve(), site_path(page)
    if not target.is_relative_to(ROOT) or not target.exists():
        raise Missing(f"{page.relative_to(ROOT)}: there is no {match[1]}")
    there = site_path(target)
    if not there or target.is_dir() or target.suffix in {".json", ".py"}:
        return f"{repository}/blob/main/{target.relative_to(ROOT).as_posix()}{match[2] or ''}"
    return os.path.relpath(there, pathlib.PurePosixPath(here).parent) + (match[2] or "")


def linked(page: pathlib.Path, repository: str) -> str:
    """Return a Markdown page with its links as the site has them; code blocks stay as they are."""
    text, parts, last = page.read_text(encoding="utf-8"), [], 0
    for block in [*FENCED.finditer(text), None]:
        prose = text[last : block.start() if block else len(text)]
        parts.append(LINK.sub(lambda match: link(page, match, repository), prose))
        if block:
            parts.append(block[0])
            last = block.end()
    return "".join(parts)


def toctrees(groups: list[dict[str, t.Any]]) -> str:
    """Return the navigation as Sphinx has it."""
    return "\n".join(
        f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {group['caption']}\n\n"
        + "\n".join(group["pages"])
        + "\n```\n"
        for group in groups
    )


def playbook(path: pathlib.Path) -> str:
    """Return what the site says of a playbook: its play's name, its comment, and the roles that it uses."""
    text = path.read_text(encoding="utf-8")
    comment = re.search(r"\A---\n((?:#.*\n)*)", text)
    lines = [line.lstrip("# ").rstrip() for line in (comment[1] if comment else "").splitlines()]
    roles = dict.fromkeys(re.findall(rf"(?:name|role): ['\"]?{COLLECTION}\.(\w+)", text))
    parts = [f"## {path.stem}", "", f"{yaml.safe_load(text)[0]['name']}. {' '.join(lines)}".strip(), ""]
    parts += ["```text", f"ansible-playbook {COLLECTION}.{path.stem} -i INVENTORY", "```", ""]
    if roles:
        uses = ", ".join(f"[{role}](collection/{role}_role.rst)" for role in roles)
        parts += [f"Roles, whose variables are its variables: {uses}", ""]
    return "\n".join(parts)


def playbooks_page() -> str:
    """Return the page about the playbooks."""
    begin = "# The roles of each playbook\n\nEach is run by its name after the collection is installed.\n\n"
    return begin + "\n".join(playbook(path) for path in sorted((ROOT / "playbooks").glob("*.yml")))


def collection_pages(target: pathlib.Path) -> None:
    """Let antsibull-docs write the pages about roles, modules and plugins into a folder."""
    target.mkdir(parents=True)
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections")}
    subprocess.run([*command, "--dest-dir", str(target), COLLECTION], check=True, env=environment)


def placed(entry: str, left: set[str]) -> list[str]:
    """Return the pages that an entry of the navigation stands for. left: pages that no entry names."""
    return sorted(page for page in left if fnmatch.fnmatch(page, entry)) if "*" in entry else [entry]


def sources(target: pathlib.Path) -> None:
    """Put the site's sources together. Raises Missing where a link leads nowhere or a page is not in the navigation."""
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    collection_pages(target / "collection")
    for page in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]:
        path = target / site_path(page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(linked(page, repository), encoding="utf-8")
    for picture in (ROOT / "docs").glob("*.svg"):
        shutil.copy(picture, target / picture.name)
    shutil.copy(ROOT / "CHANGELOG.rst", target / "changelog.rst")
    (target / "playbooks.md").write_text(playbooks_page(), encoding="utf-8")
    groups = yaml.safe_load((SITE / "navigation.yml").read_text(encoding="utf-8"))
    there = {path.relative_to(target).with_suffix("").as_posix() for path in target.rglob("*.md")} - {"index"}
    named = {page for group in groups for page in group["pages"]}
    for group in groups:
        group["pages"] = [page for entry in group["pages"] for page in placed(entry, there - named)]
    listed = {page for group in groups for page in group["pages"]}
    for group in groups:
        group["pages"] = [page for page in group["pages"] if list(target.glob(f"{page}.*"))]
    if wrong := sorted(there - listed):
        raise Missing(f"docs/site/navigation.yml does not have: {', '.join(wrong)}")
    with open(target / "index.md", "a", encoding="utf-8") as index:
        index.write("\n" + toctrees(groups))


def main() -> int:
    """Build the site; return 1 where anything is wrong with it."""
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".cache" / "docs").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        sources(folder / "source")
    except (Missing, subprocess.CalledProcessError) as problem:
        print(problem, file=sys.stderr)
        return 1
    command = ["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", str(SITE)]
    answer = subprocess.run([*command, str(folder / "source"), str(folder / "html")], cwd=ROOT, check=False)
    if answer.returncode == 0:
        print(f"The site is {folder / 'html' / 'index.html'}")
    return answer.returncode


if __name__ == "__main__":
    sys.exit(main())
