# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Shell, --set and templates as guides have them, read without being run."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.gotmpl import (
    TemplateProblem,
    TemplateScope,
    render,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.kustomizations import (
    ReadKustomization,
    model_of,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.pages import read_page
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.sets import SetError, overrides, read_set
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.shell import read_lines
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.variables import (
    GuideVariables,
    choices_of,
    read_settings,
)
from hypothesis import given
from hypothesis import strategies as st


def settings_of(text: str, **given_: str) -> GuideVariables:
    variables = GuideVariables(given_)
    read_settings(read_lines(text), "env.sh", variables, 0)
    return variables


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("export X=1", "1"),
        ("X=${X:-v0}", "v0"),
        ("Y=a\nX=${X:-${Y}-b}", "a-b"),
        ("X=${X:-${NONE:-${OTHER:-deep}}}", "deep"),
        ("Y=in\nexport X=\"${Y} 'it'\"", "in 'it'"),
        ("Y=in\nX='${Y}'", "${Y}"),
        ("X=$(date)", None),
        ("X=${NONE}", None),
        ('A=latest\nif [[ $A == "latest" ]]; then\n  X=yes\nelse\n  X=no\nfi', "yes"),
        ('A=v1\nif [[ $A == "latest" ]]; then\n  X=yes\nelse\n  X=no\nfi', "no"),
        ("if [[ $(date) == 1 ]]; then\n  X=yes\nelse\n  X=no\nfi", None),
        ("X=${X", None),
        ('X="open', None),
        ("X=${X:-${X}}", None),
        ("X=$Y\nY=$X", None),
    ],
)
def test_settings_are_read(text: str, value: str | None) -> None:
    assert settings_of(text).value("X") == value


def test_the_environment_comes_first() -> None:
    assert settings_of("X=${X:-v0}", X="v1").value("X") == "v1"


@pytest.mark.parametrize(
    ("comment", "choices"),
    [
        ("base | gke", ("base", "gke")),
        ("options: none, gke, agentgateway, istio", ("none", "gke", "agentgateway", "istio")),
        ("other na, agentgateway or istio", ("na", "agentgateway", "istio")),
        ("base | gke/base | gke/a4x", ("base", "gke/base", "gke/a4x")),
        ("options: rdma (recommended), base", ("rdma", "base")),
        ("branch, tag, or commit hash", ()),
        ("", ()),
    ],
)
def test_choices_of_a_comment(comment: str, choices: tuple[str, ...]) -> None:
    assert choices_of(comment) == choices


def test_lines_are_joined_and_counted() -> None:
    lines = read_lines("a \\\n  b\n# c\nkubectl apply -f - <<EOF\nkind: 'x\nEOF\nd 'e\nf' # g\n")
    assert [(line.number, [word.text for word in line.words], line.comment) for line in lines] == [
        (1, ["a", "b"], ""),
        (3, [], "c"),
        (4, ["kubectl", "apply", "-f", "-", "<<", "EOF"], ""),
        (7, ["d", "e\nf"], "g"),
    ]


def test_a_quote_that_is_not_closed_costs_its_line_only() -> None:
    lines = read_lines("echo it's\nkubectl get pods\n")
    assert [bool(line.broken) for line in lines] == [True, False]
    assert lines[0].number == 1


def test_a_page_has_its_titles() -> None:
    page = "# A\n## Install\n<details>\n<summary><b>Gateway</b></summary>\n```bash\nhelm install a b\n```\n</details>\n"
    page += "## Clean up\n```bash\nhelm uninstall a\n```\n```yaml\nhelm: no\n```\n"
    first, second = read_page(page, "README.md", 1)
    assert (first.trail, first.lines[0].number, first.why) == (("A", "Install", "Gateway"), 6, "")
    assert (second.trail, second.number) == (("A", "Clean up"), 2)
    assert "teardown" in second.why


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b=c", [(("a", "b"), "c")]),
        ("a=1,b=true,c=null", [(("a",), 1), (("b",), True), (("c",), None)]),
        ("a[0].b=x", [(("a", 0, "b"), "x")]),
        ("a={x,2}", [(("a",), ["x", 2])]),
        (r"a\.b=x\,y", [(("a.b",), "x,y")]),
        ("a=", [(("a",), "")]),
        ("decode.containers[0].resources.limits.rdma/ib=null", None),
    ],
)
def test_set_is_read_as_helm_does(text: str, found: list[t.Any] | None) -> None:
    assert read_set(text) == (found or [(("decode", "containers", 0, "resources", "limits", "rdma/ib"), None)])


@pytest.mark.parametrize("text", ["", "a", "a[x]=1", "=1", "a[99999]=1", "a={x", "[0]=1"])
def test_what_set_does_not_take(text: str) -> None:
    with pytest.raises(SetError):
        read_set(text)


def test_an_item_of_a_list_leaves_the_others() -> None:
    base = {"a": [{"b": 1, "c": {"d": 2, "e": 3}}, 5]}
    assert overrides(base, [(("a", 0, "c", "d"), None), (("x", "y"), None), (("a", 2), 7)]) == {
        "a": [{"b": 1, "c": {"e": 3}}, 5, 7],
        "x": {"y": None},
    }
    assert base["a"][0] == {"b": 1, "c": {"d": 2, "e": 3}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{{ env "A" | default "b" }}', "b"),
        ('{{- $x := printf "%s-%s" "a" "b" -}} {{ $x | quote }}', '"a-b"'),
        ('{{ if eq .Name "x" }}1{{ else if ne .Name "y" }}2{{ else }}3{{ end }}', "2"),
        ('{{ if or (eq .Name "x") (eq .Name "z") }}1{{ end }}', "1"),
        ("{{ .Values.a | toYaml | nindent 2 }}", '\n  {"b": 1}'),
        ("{{/* a comment */}}a", "a"),
    ],
)
def test_templates_are_evaluated(text: str, shown: str) -> None:
    assert render(text, TemplateScope({"Name": "z", "Values": {"a": {"b": 1}}}, {})) == shown


@pytest.mark.parametrize(
    "text", ["{{ if", "{{ end }}", "{{ if true }}", "{{ what 1 }}", "{{ range .a }}{{ end }}", "{{ ( }}"]
)
def test_what_templates_cannot_be_evaluated(text: str) -> None:
    with pytest.raises(TemplateProblem):
        render(text, TemplateScope({}, {}))


def test_nothing_is_read_or_run_for_a_template() -> None:
    scope = TemplateScope({}, {})
    assert render('{{ readFile "/etc/passwd" }}{{ exec "id" }}', scope) == ""
    assert [what for _line, what in scope.refused] == ["readFile /etc/passwd", "exec id"]


def deployment(container: dict[str, t.Any], name: str = "decode") -> dict[str, t.Any]:
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ([deployment({"name": "m", "command": ["vllm", "serve"], "args": ["o/M", "--served-model-name", "n"]})], "n"),
        # The arguments are a patch's, the command the base's.
        ([deployment({"name": "m", "args": ["o/M"]}), deployment({"name": "m", "command": ["vllm", "serve"]})], "o/M"),
        ([deployment({"name": "m", "command": ["sh", "-c", "exec vllm serve $A --x y \\\n o/M --z"]})], "o/M"),
        ([deployment({"name": "m", "command": ["trtllm-serve", "serve", "o/M"]})], "o/M"),
        ([deployment({"name": "m", "env": [{"name": "MODEL_NAME", "value": "o/M"}]})], "o/M"),
        ([[{"op": "replace", "path": "/spec/x/args", "value": ["serve", "o/M"]}]], "o/M"),
        ([deployment({"name": "m", "args": ["--port=8000"]})], None),
    ],
)
def test_the_name_that_a_kustomization_serves(files: list[t.Any], name: str | None) -> None:
    found = model_of(ReadKustomization("k", files=[("patch.yaml", item) for item in files]))
    assert (found.name if found else None) == name


@given(st.text(alphabet="ab $(){}'\"`\\|&;<>#=\n-[]", max_size=80))
def test_any_text_can_be_read_as_shell(text: str) -> None:
    lines = read_lines(text)
    assert [line.number for line in lines] == sorted({line.number for line in lines})
    settings_of(text).value("a")


@given(st.text(alphabet="ab.=[],{}\\01", max_size=30))
def test_any_text_is_a_set_or_refused(text: str) -> None:
    with contextlib.suppress(SetError):
        overrides({"a": [1], "b": {"a": 2}}, read_set(text))


@given(st.text(alphabet='{}"$ab.|() -:=', max_size=60))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    with contextlib.suppress(TemplateProblem):
        render(text, TemplateScope({"a": 1}, {}))
