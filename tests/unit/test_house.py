# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What has to agree between files that no tool compares: defaults, specifications, groups, tables, pages."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import docs_tables  # noqa: E402

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if (path / "meta").is_dir())
PRIVATE_ROLES = {"component", "consent", "lock", "plan", "stack"}
CLUSTER_FRAGMENTS = {"llm_d.orchestrator.cluster", "kubernetes.core.k8s_auth_options"}
# Split, so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(?:(?:wo" + r"rk|ro" + r"ot)(?![\w-])|tm" + r"p/\w)[\w./-]*")
REGISTRIES = re.compile(r"py" + r"pi\.org|python" + r"hosted\.org|(?:proxy|sum)\.go" + r"lang\.org|npm" + r"js\.")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def load(path: pathlib.Path) -> t.Any:
    """Return a YAML file's content."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def tracked(pattern: str = "") -> list[pathlib.Path]:
    """Return the files of the collection that git tracks, links left out; all files where there is no git."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = answer.stdout.split("\0") if answer.returncode == 0 else [str(path) for path in ROOT.rglob("*")]
    paths = [ROOT / name for name in names if name]
    return [path for path in paths if path.is_file() and not path.is_symlink() and path.name.endswith(pattern)]


def plugin_docs(path: pathlib.Path) -> dict[str, t.Any]:
    """Return the documents that a plugin's file assigns, parsed: DOCUMENTATION, EXAMPLES, RETURN."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
                found[name] = yaml.safe_load(ast.literal_eval(node.value))
    return found


MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
DOCUMENTED = MODULES + [
    path for kind in ("lookup", "callback") for path in sorted((ROOT / "plugins" / kind).glob("*.py"))
]


@pytest.mark.parametrize("role", ROLES)
def test_defaults_equal_the_specification(role: str) -> None:
    options = docs_tables.role_options(role)
    specified = {name: option["default"] for name, option in options.items() if "default" in option}
    assert load(ROOT / "roles" / role / "defaults" / "main.yml") == specified


@pytest.mark.parametrize("role", ROLES)
def test_specification_can_be_published(role: str) -> None:
    # antsibull-docs takes no expression as the default of an int, bool or dict: leave that default out.
    for point in load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"].values():
        assert point.get("description"), "antsibull-docs wants a description"
        strict = {name: x for name, x in point["options"].items() if docs_tables.is_strict(x)}
        assert [name for name, option in strict.items() if "{{" in str(option.get("default", ""))] == []


@pytest.mark.parametrize("role", ROLES)
def test_variables_carry_the_roles_name(role: str) -> None:
    assert [name for name in docs_tables.role_options(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", sorted(docs_tables.PAGES))
def test_tables_in_the_docs_are_fresh(role: str) -> None:
    page = (ROOT / "docs" / docs_tables.PAGES[role]).read_text(encoding="utf-8")
    assert page == docs_tables.refreshed(page, role), "run: python tests/docs_tables.py"


def test_what_awx_takes_is_fresh_on_its_page() -> None:
    """Where this fails: python tests/docs_tables.py"""
    page = docs_tables.AWX_PAGE.read_text(encoding="utf-8")
    assert docs_tables.awx_refreshed(page) == page


@pytest.mark.parametrize("role", ROLES)
def test_readme_is_fresh(role: str) -> None:
    page = ROOT / "roles" / role / "README.md"
    assert page.exists() and page.read_text(encoding="utf-8") == docs_tables.readme(role), (
        "run: python tests/docs_tables.py"
    )


def test_every_public_role_has_a_page() -> None:
    assert set(docs_tables.PAGES) == {docs_tables.SHARED, *ROLES} - PRIVATE_ROLES


def test_action_group_lists_all_cluster_modules() -> None:
    reaches = [
        path.stem
        for path in MODULES
        if CLUSTER_FRAGMENTS & set(plugin_docs(path)["DOCUMENTATION"].get("extends_documentation_fragment", []))
    ]
    assert load(ROOT / "meta" / "runtime.yml")["action_groups"]["cluster"] == reaches


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: path.stem)
def test_examples_are_tasks(path: pathlib.Path) -> None:
    docs = plugin_docs(path)
    if path.parent.name == "callback" and "EXAMPLES" not in docs:
        return
    assert all(isinstance(task, dict) and task.get("name") for task in docs["EXAMPLES"])


@pytest.mark.parametrize("path", sorted((ROOT / "plugins" / "filter").glob("*.yml")), ids=lambda path: path.stem)
def test_filters_are_documented(path: pathlib.Path) -> None:
    docs = load(path)
    assert path.with_suffix(".py").exists()
    assert docs["DOCUMENTATION"]["name"] == path.stem
    assert yaml.safe_load(docs["EXAMPLES"])


COMPONENTS = load(ROOT / "playbooks" / "vars" / "components.yml")["llm_d_components"]


@pytest.mark.parametrize("row", COMPONENTS, ids=lambda row: row["name"])
def test_component_has_a_role_with_all_verbs(row: dict) -> None:
    role = row["role"].rpartition(".")[2]
    tasks = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
    assert {"main", "present", "verify", "absent"} <= tasks
    assert docs_tables.role_options(role)[f"{role}_state"]["choices"] == ["present", "verify", "absent"]
    assert set(row.get("needs", [])) <= {other["name"] for other in COMPONENTS if other["wave"] < row["wave"]}


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES], ids=["machine paths", "package registries"])
def test_no_file_names_the_place_where_it_was_written(pattern: re.Pattern[str]) -> None:
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            found += [f"{path.relative_to(ROOT)}:{number}: {match[0]}" for match in pattern.finditer(line)]
    assert found == []


def anchors(path: pathlib.Path) -> set[str]:
    """Return the anchors of a Markdown page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", tracked(".md"), ids=lambda path: path.name)
def test_links_resolve(path: pathlib.Path) -> None:
    broken = []
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _unused, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", tracked(".md"), ids=lambda path: path.name)
def test_blocks_in_the_docs_say_what_they_are(path: pathlib.Path) -> None:
    """A block of commands is `bash`, so that tests/docs_commands.py runs it or says why not."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kinds = [line for line in lines if line.startswith("```")][::2]
    assert set(kinds) <= {"```bash", "```yaml", "```json", "```ini", "```text", "```python"}


@pytest.mark.parametrize("path", tracked(".md"), ids=lambda path: path.name)
def test_yaml_in_the_docs_parses(path: pathlib.Path) -> None:
    for block in re.findall(r"^```ya?ml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        assert list(yaml.safe_load_all(block))
