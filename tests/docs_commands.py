# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the commands of README.md and docs/ against a running lab, and check the syntax of the playbooks shown there.

Each ```bash block is run, unless the line above it is `<!-- not run: reason -->`. Pages run in lanes side by side:

- Pages about the lab run in one copy of the checkout, whose inventories/lab is the tests' lab (TEST_LAB), in their own
  namespace. docs/lab/lab.md deploys a stack, later pages use it, docs/operate/teardown.md is the last.
- Pages for readers (READERS) run as one would follow them, with an empty home and in an empty folder, or in a copy of
  the checkout. A block that begins with `# FOLDER/FILE` is written to that file. What a closed network lacks has
  stand-ins: the built collection for the published one, the lab for the reader's cluster, its charts for the published.

Pages named as arguments are the only readers' pages that are followed; then those about the lab are not.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACE = "docs-commands"
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r"# ([\w.-]+/[\w./-]+)\n")
# Lanes of pages that are followed one after the other; those in the first need a checkout.
READERS = (
    ("README.md", "docs/start/quick-start.md", "docs/start/dynamo.md"),
    (
        "docs/start/first-cluster.md",
        "docs/start/openshift.md",
        "docs/start/from-helmfile.md",
        "docs/start/from-llmdbenchmark.md",
    ),
)
# Pages that name files which another page shows.
SHOWN_BY = {"README.md": "docs/start/first-cluster.md"}
DYNAMO_CHARTS = (
    ("dynamo_platform_crds", "dynamo-crds"),
    ("dynamo_platform", "dynamo-platform"),
    ("llm_router", "llm-router"),
)
CLUSTERS = ("prod-east", "ocp-east")
SECONDS = 600
REMOVE = (
    "ansible-playbook playbooks/teardown.yml -i inventories/lab"
    " -e teardown_confirm=true -e teardown_delete_namespace=true"
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block. place: page and line; kind: bash, yaml ...; reason: why it is not run, empty where it is."""

    place: str
    kind: str
    text: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Lane:
    """Where blocks are run: the folder, what is set in the environment, and what their text is replaced by."""

    folder: pathlib.Path
    environment: dict[str, str]
    stand_ins: tuple[tuple[str, str], ...] = ()


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page, named relative to the checkout."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            f"{page}:{text.count(chr(10), 0, match.start('text'))}", match["kind"], match["text"], match["reason"] or ""
        )
        for match in BLOCK.finditer(text)
    ]


def lab_pages() -> list[str]:
    """Return the pages about the lab, the one that deploys a stack first and the one that removes it last."""
    paths = sorted((ROOT / "docs").rglob("*.md"))
    paths.sort(key=lambda path: ((path.name == "teardown.md") - (path.name == "lab.md"), path.name))
    readers = {page for lane in READERS for page in lane}
    return [page for page in (str(path.relative_to(ROOT)) for path in paths) if page not in readers]


def copy_checkout(target: pathlib.Path) -> None:
    """Copy what git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in {entry.decode() for entry in listed.stdout.split(b"\0") if entry}:
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def lab_lane(folder: pathlib.Path) -> Lane:
    """Return the lane of the pages about the lab: a checkout whose lab is the tests'."""
    copy_checkout(folder)
    variables = folder / "inventories" / "lab" / "host_vars" / "lab.yml"
    variables.parent.mkdir()
    variables.write_text(f"lab_name: {os.environ['TEST_LAB']}\nllm_d_namespace: {NAMESPACE}\n", encoding="utf-8")
    of_fleet = folder / "inventories" / "fleet" / "group_vars" / "all" / "tests.yml"
    of_fleet.write_text(f"lab_name: {os.environ['TEST_LAB']}\n", encoding="utf-8")
    collections = str(folder / "playbooks" / "collections")
    return Lane(folder, {"ANSIBLE_COLLECTIONS_PATH": collections, "KUBECONFIG": os.environ["LAB_KUBECONFIG"]})


def reader_lane(page: str, folder: pathlib.Path, tarball: pathlib.Path) -> Lane:
    """Return the lane of a page for readers: a home with clusters' kubeconfigs, and stand-ins for what they have."""
    home, namespace = folder / "home", f"docs-{pathlib.Path(page).stem.lower()}"
    (home / ".kube").mkdir(parents=True, exist_ok=True)
    for name in CLUSTERS:
        shutil.copy(os.environ["LAB_KUBECONFIG"], home / ".kube" / name)
    charts = ROOT / "roles" / "lab" / "files" / "charts"
    variables = {"llm_d_namespace": namespace, "gateway_chart_version": "", "modelservice_chart_version": ""}
    for role, chart in (("gateway", "llm-d-infra"), ("gaie", "inferencepool"), ("modelservice", "llm-d-modelservice")):
        variables[f"{role}_chart_ref"] = str(charts / chart)
    if page == "docs/start/dynamo.md":
        variables |= {f"{name}_chart": str(charts / chart) for name, chart in DYNAMO_CHARTS}
        variables["llm_router_model_repository"] = {"path": "s3://router-models/routers"}
    (home / f"{namespace}.json").write_text(json.dumps(variables), encoding="utf-8")
    demo = f"{os.environ['TEST_LAB']}-demo"
    stand_ins = (
        ("collection install llm_d.orchestrator\n", f"collection install --offline {tarball}\n"),
        ("-i inventory", f"-e @{home}/{namespace}.json -i inventory"),
        ("lab_name=demo", f"lab_name={demo}"),
        ("labs/demo/", f"labs/{demo}/"),
    )
    return Lane(folder, {"HOME": str(home), "DEMO_LAB": demo}, stand_ins)


def run(command: str, lane: Lane) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader would who types one line after the other; the first that fails ends it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "KUBE"))}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=lane.folder,
        env=environment | lane.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def checked(place: str, command: str, lane: Lane) -> bool:
    """Run a command, say how it went, and return whether it went well."""
    begin = time.monotonic()
    for shown, real in lane.stand_ins:
        command = command.replace(shown, real)
    answer = run(command, lane)
    good = answer.returncode == 0
    line = f"{'ok  ' if good else 'FAIL'} {place} ({time.monotonic() - begin:.1f} s)"
    # One call, as lanes print side by side.
    print(line if good else f"{line}\n{command}\n{answer.stdout}", flush=True)
    return good


def shown_files(found: list[Block], folder: pathlib.Path) -> None:
    """Write the files that a page shows."""
    for block in found:
        if (match := FILE.match(block.text)) and block.kind in {"yaml", "text"}:
            path = folder / match[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def followed(found: list[Block], lane: Lane, files: bool = False) -> bool:
    """Run the blocks of a page in turn, and write the files it shows where they are for that; say which are not run."""
    good = True
    for block in found:
        if files:
            shown_files([block], lane.folder)
        if block.kind == "bash" and block.reason:
            print(f"skip {block.place}: {block.reason}", flush=True)
        elif block.kind == "bash":
            good = checked(block.place, block.text, lane) and good
    return good


def read(pages: tuple[str, ...], folder: pathlib.Path, tarball: pathlib.Path) -> bool:
    """Follow pages for readers, each in a folder of its own, those of the first lane in a copy of the checkout."""
    good = True
    for page in (page for page in pages if page in sys.argv[1:] or not sys.argv[1:]):
        lane = reader_lane(page, folder, tarball)
        place = folder / ("checkout" if pages == READERS[0] else pathlib.Path(page).stem)
        place.mkdir(exist_ok=True, parents=True)
        shown_files(blocks(SHOWN_BY[page]) if page in SHOWN_BY else [], place)
        good = followed(blocks(page), dataclasses.replace(lane, folder=place), files=True) and good
    if not good and pages == READERS[0]:
        checked("the demo's lab goes", "make demo-down", dataclasses.replace(lane, folder=folder / "checkout"))
    return good


def syntax_command(found: list[Block], folder: pathlib.Path) -> str:
    """Write the plays that the pages show into the copy; return the command that checks them all at once."""
    names = []
    for block in found:
        if block.kind == "yaml" and re.search(r"^(- |  )hosts: ", block.text, re.MULTILINE):
            names.append(f"shown-{block.place.replace('/', '-').replace(':', '-')}.yml")
            (folder / names[-1]).write_text(block.text, encoding="utf-8")
    return f"ansible-playbook -i inventories/lab --syntax-check {' '.join(names)}"


def lab(folder: pathlib.Path) -> bool:
    """Follow the pages about the lab, and remove what they have deployed."""
    lane, found = lab_lane(folder), [block for page in lab_pages() for block in blocks(page)]
    good = checked("the plays shown", syntax_command(found, folder), lane)
    good = followed(found, lane) and good
    return checked("the namespace goes", REMOVE, lane) and good


def build(checkout: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Build the collection from a copy of the checkout, which nobody edits meanwhile; return its archive."""
    command = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder), str(checkout)]
    subprocess.run(command, check=True, capture_output=True)
    return next(iter(folder.glob("*.tar.gz")))


def main() -> int:
    """Return 0 where every command does what the page says, that is, ends well."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor() as pool:
        folder = pathlib.Path(name)
        copy_checkout(folder / "readers-0" / "checkout")
        tarball = build(folder / "readers-0" / "checkout", folder)
        lanes = [pool.submit(read, pages, folder / f"readers-{i}", tarball) for i, pages in enumerate(READERS)]
        if not sys.argv[1:]:
            lanes.append(pool.submit(lab, folder / "lab"))
        good = min([lane.result() for lane in lanes])
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
