# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The report on a terminal, as Markdown, as a page, and in files."""

from __future__ import annotations

import json
import pathlib
import xml.etree.ElementTree

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.page import markdown, page, retry_command, write
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.screen import lines

SCREEN, COLUMNS = 50, 100
LONG = "modelservice: pod ms-a-decode: container vllm: image ghcr.io/llm-d/llm-d-cuda:v0.9 cannot be pulled: not found"


def row(host, result="ok", wave=1, detail="2 of 2 models answer", **more):
    versions = {"Kubernetes": "v1.34.4", "gateway": "istio"}
    base = {"host": host, "result": result, "playbook": "site.yml", "wave": wave, "models": ["m"], "versions": versions,
            "seconds": 31.0, "findings": {"errors": 0, "warnings": 0}, "detail": detail, "record": ""}  # fmt: skip
    if result == "untouched":
        base.update(seconds=None, models=[], versions={}, detail="")
    return {**base, **more}


def report(*rows, waves=(), retry="", kind="cluster"):
    results = [item["result"] for item in rows]
    totals = {name: results.count(name) for name in ("failed", "unreachable", "untouched", "ok")}
    return {"playbook": "site.yml", "started": "20261121T083000Z", "seconds": 65.0, "waves": list(waves),
            "kind": kind, "totals": totals, "rows": list(rows), "retry": retry}  # fmt: skip


def shown(*args, **kwargs):
    return [text for text, _kind in lines(*args, **kwargs)]


MIXED = report(
    row("a"),
    row("b", "failed", 2, LONG),
    row("c", wave=2, versions={"Kubernetes": "v1.33.1", "gateway": "istio"}),
    row("d", "untouched", 3),
    waves=[1, 2, 1],
    retry="ansible-playbook site.yml --limit @x",
)


def test_a_table_with_failures_first():
    assert shown(MIXED, ["/r/fleet.html", "/r/fleet.md"]) == [
        "",
        "site.yml on 4 clusters in 3 waves, 1m05s: 1 failed, 1 untouched, 2 ok",
        "  all have   models m; istio",
        "  cluster  wave  result  time   what",
        "  b        2     failed  31.0s  modelservice: pod ms-a-decode: container vllm: image ghcr.io/llm-...",
        "  a        1     ok      31.0s  2 of 2 models answer; Kubernetes v1.34.4",
        "  c        2     ok      31.0s  2 of 2 models answer; Kubernetes v1.33.1",
        "  untouched  stopped after wave 2 of 3: d",
        "  summary    /r/fleet.html, fleet.md",
    ]


def test_colours():
    kinds = {text.split()[0]: kind for text, kind in lines(MIXED) if text}
    assert (kinds["site.yml"], kinds["a"], kinds["b"]) == ("bad", "good", "bad")
    assert lines(report(row("a"), row("b")))[1][1] == "good"


def test_columns_without_a_word_are_left_out():
    warned = row("a", findings={"errors": 0, "warnings": 3})
    assert "  cluster  result  time   warn  what" in shown(report(warned, row("b")))
    assert "  cluster  result  time   what" in shown(report(row("a"), row("b")))


def many(count, failed=0, untouched=0, alike=True):
    """Rows of clusters, the first of which failed and the last of which are untouched."""
    found = []
    for index in range(count):
        name, detail = f"cluster-{index:03d}.somewhere.example.org", "fine" if alike else f"fine {index}"
        result = "failed" if index < failed else "untouched" if index >= count - untouched else "ok"
        found.append(row(name, result, index % 3 + 1, f"{index} {LONG}" if result == "failed" else detail))
    return found


@pytest.mark.parametrize("count", [50, 500])
@pytest.mark.parametrize("failed", [0, 1, 12, 45])
@pytest.mark.parametrize("untouched", [0, 5])
@pytest.mark.parametrize("alike", [True, False])
def test_it_fits_a_screen(count, failed, untouched, alike):
    text = shown(report(*many(count, failed, untouched, alike), waves=[1, 2, 3], retry="ansible-playbook x"), ["/r/f"])
    assert len(text) <= SCREEN and max(map(len, text)) <= COLUMNS
    named = sum(f"cluster-{index:03d}" in "\n".join(text) for index in range(failed))
    assert named == failed or failed > 18


def test_clusters_alike_are_one_row():
    text = shown(report(*many(500), waves=[1, 2, 3]))
    assert [line.split()[1] for line in text if line.startswith("  cluster-")] == ["+166", "+166", "+165"]


@pytest.mark.parametrize("text", [markdown(MIXED), page(MIXED, "/r/fleet/1")])
def test_a_page_has_all(text):
    for word in ("site.yml on 4 clusters", "untouched", "v1.33.1", "cannot be pulled: not found", "--limit @x"):
        assert word in text


def test_the_page_is_sound_and_loads_nothing():
    text = page(report(row("<b>|a", detail="<script>x</script>", record="/r/a/1"), row("c")), "/r/fleet/1")
    tree = xml.etree.ElementTree.fromstring(text.partition("\n")[2])
    assert [element.get("href") for element in tree.iter("a")] == ["../../a/1/record.html"]
    policy = [meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv")]
    assert "<script" not in text and policy[0].startswith("default-src 'none'") and "prefers-color-scheme:dark" in text
    assert [element.text for element in tree.iter("h1")] == ["site.yml on 2 clusters, 1m05s: 2 ok"]


def test_markdown_holds_no_markup_of_others():
    text = markdown(report(row("a|b", detail="<b>*x*\ny"), row("c")))
    assert r"| a\|b | ok |" in text and r"&lt;b&gt;\*x\* y |" in text


ARGUMENTS = ["site.yml", "-i", "inventory", "-e", "hf_token=hf_abcdefghijklmnopqrstuvwxyz0123", "--limit", "old,@x"]


@pytest.mark.parametrize("limit", [["--limit", "a"], ["-l", "a"], ["--limit=a"], ["-la"], []])
def test_the_command_for_the_rest(limit):
    assert retry_command(["site.yml", *limit, "-i", "x"], "@f") == "ansible-playbook site.yml -i x --limit @f"


def test_files(tmp_path):
    told, files, problem = write(MIXED, str(tmp_path), ARGUMENTS)
    folder = tmp_path / "fleet" / "20261121T083000Z"
    assert [pathlib.Path(path).name for path in files] == ["fleet.html", "fleet.md", "fleet.json"] and not problem
    assert (folder / "failed.txt").read_text() == "b\nd\n"
    assert told["retry"].endswith(f"--limit @{folder}/failed.txt") and "hf_abc" not in told["retry"]
    assert json.loads((folder / "fleet.json").read_text()) == told
    # Another run of the same second has a folder of its own, and where all is well there is nothing to retry.
    told, files, _problem = write(report(row("a"), row("b")), str(tmp_path), ARGUMENTS)
    assert pathlib.Path(files[0]).parent.name == "20261121T083000Z-2" and not told["retry"]
    assert not (tmp_path / "fleet" / "20261121T083000Z-2" / "failed.txt").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "records").write_text("a file")
    told, files, problem = write(MIXED, str(tmp_path / "records"), ARGUMENTS)
    assert files == [] and told["retry"].endswith("--limit b,d")
    text = shown(told, files, problem)
    assert "  untouched  stopped after wave 2 of 3: d" in text
    assert text[-1].startswith("  summary    not written: ") and "records" in text[-1]


def test_the_page_names_cause_remedy_and_command_of_each_failed_cluster():
    bad = row("b", "failed", detail="the image does not exist", remedy="Correct the tag.", command="again --limit b")
    for text in (page(report(row("a"), bad), "/r"), markdown(report(row("a"), bad))):
        assert "Correct the tag." in text and "again --limit b" in text and "2026-11-21 08:30:00 UTC" in text
        assert text.index("Correct the tag.") < text.index("2 of 2 models answer")
    assert "What failed" not in page(report(row("a")), "/r")


def test_hosts_are_called_as_what_they_are() -> None:
    told = shown(report(row("a"), row("b"), kind="machine"))
    assert any("site.yml on 2 machines, " in line for line in told)
    assert "machine" in [line.split()[0] for line in told if line.strip()]
    assert not any("cluster" in line for line in told)
