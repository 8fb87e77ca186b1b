# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What tests/docs_commands.py takes from a page, and that a failing command fails it."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import docs_commands  # noqa: E402
import docs_tables  # noqa: E402

PAGE = """# A page

```bash
first
second
```

<!-- output of the commands above, from "pri" -->
```text
printed
```

<!-- not run: it would end the world -->
```bash
third
```

```yaml
- hosts: all
```
"""


@pytest.fixture()
def page(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A page's name in a checkout that holds nothing else."""
    monkeypatch.setattr(docs_commands, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE, encoding="utf-8")
    return "docs/page.md"


def test_blocks_of_a_page(page: str) -> None:
    assert docs_commands.blocks(page) == [
        docs_commands.Block("docs/page.md:3", "bash", "first\nsecond\n", ""),
        docs_commands.Block("docs/page.md:9", "text", "printed\n", "", ' the commands above, from "pri"'),
        docs_commands.Block("docs/page.md:14", "bash", "third\n", "it would end the world"),
        docs_commands.Block("docs/page.md:18", "yaml", "- hosts: all\n", ""),
    ]


def test_plays_are_written_out(page: str, tmp_path: pathlib.Path) -> None:
    command = docs_commands.syntax_command(docs_commands.blocks(page), tmp_path)
    assert command.endswith(" shown-docs-page.md-18.yml")
    assert (tmp_path / "shown-docs-page.md-18.yml").read_text(encoding="utf-8") == "- hosts: all\n"


@pytest.mark.parametrize(("command", "good"), [("true", True), ("false\ntrue", False), ("false | true", False)])
def test_the_first_failure_counts(command: str, good: bool, tmp_path: pathlib.Path) -> None:
    assert docs_commands.checked("here", command, docs_commands.Lane(tmp_path, {}))[0] is good


def test_what_a_closed_network_lacks_has_stand_ins(tmp_path: pathlib.Path) -> None:
    assert docs_commands.checked("here", "false", docs_commands.Lane(tmp_path, {}, (("false", "true"),)))[0]


def test_every_page_is_read_and_the_one_that_removes_is_last() -> None:
    pages = docs_commands.lab_pages()
    readers = {page for lane in docs_commands.READERS for page in lane}
    assert {"README.md", "docs/start/quick-start.md", "docs/start/first-cluster.md"} <= readers
    assert {"docs/lab/lab.md", "docs/operate/verify.md", "docs/fleets/fleet.md"} <= set(pages)
    assert readers.isdisjoint(pages)
    everything = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    assert everything <= readers | set(pages)
    assert pages[-1] == "docs/operate/teardown.md"


COMMAND = re.compile(r"ansible-playbook\b[^\n`]*?(llm_d\.orchestrator\.\w+|playbooks/\w+\.yml)")
# Where both forms are explained, or a page of the site stands for both.
BOTH = {"docs/reference/playbooks.md"}


@pytest.mark.parametrize("page", sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
def test_a_page_has_one_form_of_commands_and_says_which_on_its_top(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = {name.startswith("playbooks/") for name in COMMAND.findall(text)}
    said = docs_commands.form(page)
    if found and page not in BOTH:
        assert found == {said == docs_commands.CHECKOUT}
        assert said
    if said:
        assert (docs_commands.CHECKOUT in text) != (docs_commands.INSTALLED in text)
        assert said in "".join(text.partition("```")[:1])


def test_a_page_names_files_of_a_checkout_only_where_it_is_in_one() -> None:
    for page in (str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")):
        commands = "".join(block.text for block in docs_commands.blocks(page) if block.kind == "bash")
        if docs_commands.form(page) != docs_commands.CHECKOUT:
            assert "-i inventories/" not in commands and "make " not in commands, page


def test_playbooks_and_roles_that_pages_name_are_there() -> None:
    names = {path.stem for path in (ROOT / "playbooks").glob("*.yml")} | {"NAME"}
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for name in COMMAND.findall(path.read_text(encoding="utf-8")):
            assert name.removeprefix("llm_d.orchestrator.").removeprefix("playbooks/").removesuffix(".yml") in names, (
                path
            )


def test_make_path_has_the_labs_helm_and_kubectl() -> None:
    tools = yaml.safe_load((ROOT / "roles/lab/vars/main/tools.yml").read_text(encoding="utf-8"))["_lab_tools"]
    version = {tool["name"]: tool["version"] for tool in tools}
    # The flags of a make that runs these tests would add lines.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "-n", "path"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    shown = done.stdout
    ansible, helm, kubectl = shown.splitlines()[-1].removeprefix("echo ").split(":")
    assert ansible.endswith("/bin")
    assert helm.endswith(f"/bin/helm-{version['helm']}")
    assert kubectl.endswith(f"/bin/kubectl-{version['kubernetes']}")


GIVEN = re.compile(r"""-e '?(?:\{+"(\w+)"|(\w+)=)""")
# Those of playbooks that are no role's.
OF_PLAYBOOKS = {"guide", "scenario", "inventory_dir_out", "host", "import_force"} | {
    "llm_orchestrator_confirm",
    "llm_orchestrator_mode",
    "llm_orchestrator_workload",
    "orchestrator_program",
}


def test_variables_that_commands_set_are_there() -> None:
    known = {name for role in docs_tables.PAGES for name in docs_tables.role_options(role)} | OF_PLAYBOOKS
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for names in GIVEN.findall(path.read_text(encoding="utf-8")):
            assert set(filter(None, names)) <= known, path


SAMPLE = """site.yml on 3 clusters, 48.9s: 3 ok
  pod a-854645fbd9-6xsb4 of registry/x:v1.3 in 12 ms
[DEPLOYING]    14.3s  waiting for modelservice a (8.6s)
"""


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        ("48.9s", "7.1s", True),
        ("854645fbd9-6xsb4", "5566bbcc77-aaaaa", True),
        ("[DEPLOYING]    14.3s  waiting for modelservice a (8.6s)\n", "", True),
        ("3 ok", "3\n  ok", True),
        ("3 ok", "3 failed", False),
        ("pod a", "Pod a", False),
    ],
)
def test_a_sample_is_compared_by_its_words(old: str, new: str, alike: bool) -> None:
    assert (docs_commands.words(SAMPLE) == docs_commands.words(SAMPLE.replace(old, new))) is alike


def test_samples_say_what_prints_them() -> None:
    pages = ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
    sources = [block.source for page in pages for block in docs_commands.blocks(page) if block.source]
    assert len(sources) >= 4
    assert [source for source in sources if not docs_commands.SOURCE.fullmatch(source)] == []


@pytest.mark.parametrize("write", [False, True])
def test_a_sample_that_is_not_what_is_printed_fails_or_is_written(
    write: bool, page: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docs_commands, "WRITE", write)
    for name in ("LAB_STATE", "CACHE"):
        monkeypatch.setenv(name, f"/nowhere/{name}")
    lane = docs_commands.Lane(tmp_path, {"HOME": "/nowhere/home"})
    assert docs_commands.sampled(docs_commands.blocks(page)[1], lane, "noise\nprints well\n") is write
    assert ("```text\nprints well\n```" in (tmp_path / page).read_text(encoding="utf-8")) is write


PLAYBOOK = "- hosts: all\n  gather_facts: false\n"
PRINTED_LINES = [
    ("next      ansible-playbook playbooks/site.yml -i inventory", True),
    ("Deploy on it: ansible-playbook playbooks/site.yml -i inventory -e lab_name=d", True),
    ("  ansible-playbook llm_d.orchestrator.gone -i inventory", False),
    ("retry  ansible-playbook playbooks/site.yml -i inventory --limit @gone.txt", False),
    ("ansible-playbook playbooks/gone.yml -i inventory", False),
    ("ansible-playbook playbooks/site.yml -i gone", False),
    ("ansible-playbook playbooks/site.yml -i inventory --no-such-option", False),
]


@pytest.mark.parametrize(("line", "works"), PRINTED_LINES, ids=[line for line, _works in PRINTED_LINES])
def test_a_printed_command_has_to_work_where_it_is_printed(line: str, works: bool, tmp_path: pathlib.Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "site.yml").write_text(PLAYBOOK, encoding="utf-8")
    (tmp_path / "inventory").write_text("lab\n", encoding="utf-8")
    assert docs_commands.commands_work("here", f"first\n{line}\nlast\n", docs_commands.Lane(tmp_path, {})) is works
