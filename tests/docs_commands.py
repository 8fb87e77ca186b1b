# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the commands of README.md and docs/ against a running lab, and check the syntax of the playbooks shown there.

Each ```bash block is run, unless the line above it is `<!-- not run: reason -->`. Pages run in lanes side by side:

- Pages for readers (READERS) run as one would follow them, with an empty home and in an empty folder, or in a copy of
  the checkout. A block that begins with `# FOLDER/FILE` is written to that file. What a closed network lacks has
  stand-ins: the built collection for the published one, the lab for the reader's cluster, its charts for the published.
- The other pages use the tests' lab (TEST_LAB), in their own namespace: those with the line CHECKOUT in a copy of the
  checkout, those with INSTALLED beside a folder `inventory`, a copy of inventories/lab. docs/lab/lab.md deploys a
  stack, later pages use it, docs/operate/teardown.md is the last.

A ```text block below `<!-- output of the commands above -->` or `<!-- output of: COMMAND -->` is what these print, from
the line on that `from "TEXT"` in the comment begins. What a page shows has to have the words that are printed, but for
numbers, times and generated names. With --write, pages get what is printed.

Each command of ansible-playbook that is printed has to be one that works where it is printed.

Only the pages named as arguments are followed, where there are any; with --lab only those that use the tests' lab.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import getpass
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
    r"^(?:<!-- (?:not run: (?P<reason>.+?)|output of(?P<source>.+?)) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SOURCE = re.compile(r'(?: the commands above|: (?P<command>.+?))(?:, from "(?P<begin>.+)")?')
# The form of a page's commands, said on its top.
CHECKOUT = "Commands on this page run in a checkout"
INSTALLED = "Commands on this page are for the [installed collection]"
# What differs from run to run: progress while something is waited for, numbers and times, generated names; how long a
# component took the last time is told from one second on.
WAITING = re.compile(r"^\[\w+\] +[\d.]+s  (?:still )?waiting for .*\n", re.MULTILINE)
ABOUT = re.compile(r" \(about \d+ s\)")
VARYING = re.compile(r"\b[a-z0-9]{8,10}-[a-z0-9]{5}\b|\b[0-9a-f]{12,}\b|(?:\b\d+m)?\d[\d.,:TZ]*(?:ms|s|Mi|Gi|Ti)?\b")
FILE = re.compile(r"# (?:\./)?([\w.-]+/[\w./-]+|[\w-]+\.cfg)\n")
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
WRITE = "--write" in sys.argv
# A command that a playbook prints, to the end of its line; those in a line of data or of a log are not for a reader.
PRINTED = re.compile(r"^[^\"{]*?\b(ansible-playbook (?:\S+/)?[\w.]+ .*)$", re.MULTILINE)
# What Ansible says of an inventory, a limit or a playbook that is not there.
WRONG = re.compile(r"Unable to parse|Could not match|could not be found|Specified .* does not match")
PAGES = [argument for argument in sys.argv[1:] if argument.endswith(".md")]
REMOVE = (
    "ansible-playbook playbooks/teardown.yml -i inventories/lab"
    " -e teardown_confirm=true -e teardown_delete_namespace=true"
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block.

    place: page and line; kind: bash, yaml ...; reason: why it is not run, empty where it is; source: of a sample what
    prints it, as the comment above it says after `output of`.
    """

    place: str
    kind: str
    text: str
    reason: str
    source: str = ""


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
            f"{page}:{text.count(chr(10), 0, match.start('text'))}",
            match["kind"],
            match["text"],
            match["reason"] or "",
            match["source"] or "",
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


def form(page: str) -> str:
    """Return which form the commands of a page have, CHECKOUT, INSTALLED, or "" where it says neither."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return next((line for line in (CHECKOUT, INSTALLED) if line in text), "")


def lab_lanes(folder: pathlib.Path, tarball: pathlib.Path) -> dict[str, Lane]:
    """Return the lanes of the pages that use the tests' lab, by the form of their commands."""
    checkout, beside, home = folder / "checkout", folder / "beside", folder / "home"
    copy_checkout(checkout)
    beside.mkdir()
    shutil.copytree(checkout / "inventories" / "lab", beside / "inventory")
    # What that page has a reader put beside the inventory.
    shown_files([block for block in blocks("docs/start/first-cluster.md") if block.kind == "ini"], beside)
    name = os.environ["TEST_LAB"]
    for inventory in (checkout / "inventories" / "lab", beside / "inventory"):
        (inventory / "host_vars").mkdir()
        text = f"lab_name: {name}\nllm_d_namespace: {NAMESPACE}\n"
        (inventory / "host_vars" / "lab.yml").write_text(text, encoding="utf-8")
    environment = {"HOME": str(home), "KUBECONFIG": os.environ["LAB_KUBECONFIG"], "LAB": name}
    install = ["ansible-galaxy", "collection", "install", "--offline", str(tarball)]
    subprocess.run(install, cwd=beside, env={**os.environ, "HOME": str(home)}, check=True, capture_output=True)
    # Inventories of a lab name the tests' one where a page brings its own.
    named = (
        ("-i fleet", f"-i fleet -e lab_name={name}"),
        ("orchestrator.lab_up\n", f"orchestrator.lab_up -e lab_name={name}\n"),
    )
    return {CHECKOUT: Lane(checkout, environment), INSTALLED: Lane(beside, environment, named)}


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
        ("labs/demo-dynamo/", f"labs/{demo}/"),
    )
    return Lane(folder, {"HOME": str(home), "DEMO_LAB": demo}, stand_ins)


def run(command: str, lane: Lane) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader would who types one line after the other; the first that fails ends it."""
    # Without the flags of a make that runs the tests, which would have one of the page's say where it works.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "KUBE", "MAKE"))
    }
    try:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=lane.folder,
            env=environment | {"COLUMNS": "80"} | lane.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        said = (exc.stdout or b"").decode(errors="replace") if isinstance(exc.stdout, bytes) else exc.stdout or ""
        return subprocess.CompletedProcess(exc.cmd, 124, f"{said}\ntimed out after {SECONDS} s\n")


def replaced(command: str, lane: Lane) -> str:
    """Return a command with its stand-ins."""
    for shown, real in lane.stand_ins:
        command = command.replace(shown, real)
    return command


def checked(place: str, command: str, lane: Lane) -> tuple[bool, str]:
    """Run a command, say how it went, and return whether it went well, and what it printed."""
    begin = time.monotonic()
    command = replaced(command, lane)
    answer = run(command, lane)
    good = answer.returncode == 0
    line = f"{'ok  ' if good else 'FAIL'} {place} ({time.monotonic() - begin:.1f} s)"
    # One call, as lanes print side by side.
    print(line if good else f"{line}\n{command}\n{answer.stdout}", flush=True)
    return commands_work(place, answer.stdout, lane) and good, answer.stdout


def commands_work(place: str, printed: str, lane: Lane) -> bool:
    """Return whether Ansible finds the playbook, the inventory and the hosts of each command that is printed."""
    wrong = []
    for command in sorted(set(PRINTED.findall(printed))):
        answer = run(f"{command} --list-hosts", lane)
        if answer.returncode != 0 or WRONG.search(answer.stdout):
            wrong.append(f"FAIL {place} prints a command that does not work there: {command}\n{answer.stdout}")
    if wrong:
        print("\n".join(wrong), flush=True)
    return not wrong


def shown_files(found: list[Block], folder: pathlib.Path) -> None:
    """Write the files that a page shows."""
    for block in found:
        if (match := FILE.match(block.text)) and block.kind in {"yaml", "text", "ini"}:
            path = folder / match[1]
            if path.suffix == ".cfg" and path.exists():  # a checkout has its own
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def followed(page: str, lane: Lane, files: bool = False, of_make: Lane | None = None) -> bool:
    """Run the blocks of a page in turn, and write the files it shows where they are for that; say which are not run.

    of_make: where commands of make are run, if not in the lane.
    """
    good, printed, exported, at = True, "", "", lane
    for block in blocks(page):
        if files:
            shown_files([block], lane.folder)
        if block.kind == "bash" and block.reason:
            print(f"skip {block.place}: {block.reason}", flush=True)
        elif block.kind == "bash":
            at = of_make if of_make and block.text.startswith("make ") else lane
            # One shell for a page: what was exported is known below.
            well, printed = checked(block.place, exported + block.text, at)
            exported += "".join(line for line in block.text.splitlines(keepends=True) if line.startswith("export "))
            good = well and good
        elif block.source:
            good = sampled(block, at, printed) and good
    return good


def sampled(block: Block, lane: Lane, printed: str) -> bool:
    """Return whether a sample is what is printed, or make it so. printed: by the commands above it."""
    source = SOURCE.fullmatch(block.source)
    if source is None:
        raise ValueError(f"{block.place}: neither `the commands above` nor a command: {block.source}")
    if source["command"]:
        printed = run(replaced(source["command"], lane), lane).stdout
    good = commands_work(block.place, printed, lane)
    lines = as_readers_see(printed, lane).splitlines(keepends=True)
    begin = next((i for i, line in enumerate(lines) if line.startswith(source["begin"] or "")), 0)
    text = "".join(lines[begin:]).strip("\n") + "\n"
    if words(text) == words(block.text):
        print(f"ok   {block.place} shows what is printed", flush=True)
        return good
    print(f"{'new ' if WRITE else 'FAIL'} {block.place}: what is printed is\n{text}", flush=True)
    if WRITE:
        path = ROOT / block.place.partition(":")[0]
        shown = f"<!-- output of{block.source} -->\n```{block.kind}\n%s```"
        page = path.read_text(encoding="utf-8").replace(shown % block.text, shown % text)
        path.write_text(page, encoding="utf-8")
    return good and WRITE


def as_readers_see(text: str, lane: Lane) -> str:
    """Return what was printed with the names that a reader's machine has, and without what is waited for."""
    for shown, real in lane.stand_ins:
        text = text.replace(real.strip(), shown.strip())
    for path, name in (
        (os.environ["LAB_STATE"] + "/", "/home/user/.local/state/llm-d-orchestrator/labs/lab/"),
        (os.path.dirname(os.path.dirname(os.environ["LAB_STATE"])), "/home/user/.local/state/llm-d-orchestrator"),
        (os.environ["CACHE"], "/home/user/.cache/llm-d-orchestrator"),
        (str(lane.folder), "/home/user/llm-d"),
        (lane.environment["HOME"], "/home/user"),
        (NAMESPACE, "llm-d"),
        (f" by {getpass.getuser()}", " by user"),
    ):
        text = text.replace(path, name)
    return WAITING.sub("", text)


def words(text: str) -> list[str]:
    """Return the words of a sample, once each, without what differs from run to run, as the place of a cut does."""
    found = VARYING.sub("", ABOUT.sub("", WAITING.sub("", text))).split()
    return sorted({word for word in found if re.search(r"\w", word) and not word.endswith("...")})


def read(pages: tuple[str, ...], folder: pathlib.Path, tarball: pathlib.Path) -> bool:
    """Follow pages for readers, each in a folder of its own, those of the first lane in a copy of the checkout."""
    good = True
    for page in (page for page in pages if page in PAGES or not PAGES):
        lane = reader_lane(page, folder, tarball)
        place = folder / ("checkout" if form(page) == CHECKOUT else pathlib.Path(page).stem)
        place.mkdir(exist_ok=True, parents=True)
        shown_files(blocks(SHOWN_BY[page]) if page in SHOWN_BY else [], place)
        checkout = dataclasses.replace(lane, folder=folder / "checkout") if pages == READERS[0] else None
        good = followed(page, dataclasses.replace(lane, folder=place), files=True, of_make=checkout) and good
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


def lab(folder: pathlib.Path, tarball: pathlib.Path) -> bool:
    """Follow the pages that use the tests' lab, and remove what they have deployed."""
    lanes, pages = lab_lanes(folder, tarball), [page for page in lab_pages() if page in PAGES or not PAGES]
    checkout = lanes[CHECKOUT]
    shown = syntax_command([block for page in pages for block in blocks(page)], checkout.folder)
    good, _printed = checked("the plays shown", shown, checkout)
    for page in pages:
        good = followed(page, lanes[form(page) or INSTALLED]) and good
    return checked("the namespace goes", REMOVE, checkout)[0] and good


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
        readers = [] if "--lab" in sys.argv else READERS
        lanes = [pool.submit(read, pages, folder / f"readers-{i}", tarball) for i, pages in enumerate(readers)]
        if not PAGES or set(lab_pages()) & set(PAGES):
            lanes.append(pool.submit(lab, folder / "lab", tarball))
        good = min([lane.result() for lane in lanes])
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
