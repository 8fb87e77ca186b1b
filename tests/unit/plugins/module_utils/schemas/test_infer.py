# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import json
import pathlib
import time

import jsonschema
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.defaults import coalesce
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import ChartFiles, read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas import infer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.infer import (
    allow_templated,
    cached_schema,
    infer_schema,
)

LAB_CHARTS = pathlib.Path(__file__).resolve().parents[5] / "roles" / "lab" / "files" / "charts"


def chart(page: str, values: str = "", name: str = "small", **more: object) -> ChartFiles:
    metadata = {"name": name, "version": "1.0.0", **more.pop("metadata", {})}
    subcharts = more.pop("subcharts", ())
    return ChartFiles(name, "1.0.0", "", metadata, values, None, {"templates/a.yaml": page}, subcharts, **more)


def errors(schema: dict, values: dict) -> list[str]:
    """Return "path: validator" of each error, "path.key: unknown" for a key that the schema does not know."""
    found = []
    for error in jsonschema.Draft7Validator(schema).iter_errors(values):
        path = ".".join(str(part) for part in error.absolute_path)
        if error.validator == "additionalProperties":
            extra = [key for key in error.instance if key not in error.schema.get("properties", {})]
            found += [f"{path}.{key}: unknown".lstrip(".") for key in extra if not key.startswith(("x-", "_", "."))]
        else:
            found.append(f"{path}: {error.validator}")
    return sorted(found)


def judged(page: str, defaults: str, values: dict, **more: object) -> list[str]:
    files = chart(page, defaults, **more)
    assert errors(infer_schema(files), coalesce(files, {})) == []
    return errors(infer_schema(files), coalesce(files, values))


READ = "{{ .Values.image.tag }}{{ if .Values.enabled }}{{ end }}"
DEFAULTS = "image: {tag: v1, extra: 1}\nenabled: false\n"

# id, page, values.yaml, user's values, what is wrong with them
CASES = [
    ("right", READ, DEFAULTS, {"image": {"tag": "v2"}, "enabled": True}, []),
    ("typo at the top", READ, DEFAULTS, {"imgae": {"tag": "v2"}}, ["imgae: unknown"]),
    ("typo below", READ, DEFAULTS, {"image": {"tagg": "v2"}}, ["image.tagg: unknown"]),
    ("level up", READ, DEFAULTS, {"tag": "v2"}, ["tag: unknown"]),
    ("level down", READ, DEFAULTS, {"image": {"enabled": True}}, ["image.enabled: unknown"]),
    ("null takes a default away", READ, DEFAULTS, {"image": None, "enabled": None}, []),
    ("scalar for a map", READ, DEFAULTS, {"image": "v2"}, ["image: type"]),
    ("map for a scalar", READ, DEFAULTS, {"image": {"tag": {"a": 1}}}, ["image.tag: type"]),
    ("text for a boolean", READ, DEFAULTS, {"enabled": "false"}, ["enabled: type"]),
    ("number for text is printed alike", READ, DEFAULTS, {"image": {"tag": 1.5}}, []),
    ("anchors and globals", READ, DEFAULTS, {"x-common": {}, "_a": 1, "global": {"any": 1}}, []),
    ("unread in values.yaml", READ, DEFAULTS + "dead: {a: 1}\n", {"dead": {"b": 2}, "image": {"extra": []}}, []),
    ("only templates know it", "{{ .Values.a | default 1 }}{{ .Values.b.c }}", "", {"a": 2, "b": {"c": 1}}, []),
    ("only templates know it: typo", "{{ .Values.b.c }}", "", {"b": {"d": 1}}, ["b.d: unknown"]),
    ("free-form", "{{ toYaml .Values.a }}", "a: {}\n", {"a": {"x": {"y": [1]}}}, []),
    (
        "free-form with defaults",
        "{{ toYaml .Values.a }}{{ .Values.a.b }}",
        "a: {b: {c: 1}}\n",
        {"a": {"b": 1, "d": 2}},
        [],
    ),
    ("free-form empty map may be a list", "{{ toYaml .Values.a }}", "a: {}\n", {"a": [1]}, []),
    ("free-form list is no text", "{{ toYaml .Values.a }}", "a: []\n", {"a": "x"}, ["a: type"]),
    ("run as a template", "{{ tpl .Values.a $ }}", "a: []\n", {"a": "x"}, []),
    ("type is asked", '{{ if kindIs "map" .Values.a }}{{ .Values.a.b }}{{ end }}', "a: {b: 1}\n", {"a": "x"}, []),
    (
        "loop over a map",
        "{{ range $k, $v := .Values.a }}{{ $k }}{{ $v }}{{ end }}",
        "a: {v: 1}\n",
        {"a": {"any-name": "x"}},
        [],
    ),
    (
        "loop over maps",
        "{{ range $k, $v := .Values.a }}{{ $v.b }}{{ end }}",
        "a: {}\n",
        {"a": {"x": {"c": 1}}},
        ["a.x.c: unknown"],
    ),
    (
        "loop over a list",
        "{{ range .Values.a }}{{ .b }}{{ end }}",
        "a: [{b: 1, c: 2}]\n",
        {"a": [{"b": 3, "c": 4}, {"d": 5}]},
        ["a.1.d: unknown"],
    ),
    ("map for a list", "{{ range .Values.a }}{{ .b }}{{ end }}", "a: [{b: 1}]\n", {"a": {"b": 1}}, ["a: type"]),
    ("list or map", "{{ range .Values.a }}{{ . }}{{ end }}", "a: []\n", {"a": {"x": 1}}, []),
    ("unknown key of a map", "{{ index .Values.a .Values.k }}", "a: {x: {}}\nk: x\n", {"a": {"other": 1}}, []),
    ("unknown key of the whole", "{{ (index .Values .Release.Name).port }}", "", {"any": {"port": 1}}, []),
    ("whole values", "{{ toYaml .Values }}{{ .Values.a.b }}", "a: {b: 1}\n", {"any": 1, "a": {"c": 1}}, []),
    ("number", "{{ int .Values.m }}", "m: 1\n", {"m": "two"}, ["m: pattern"]),
    ("number as text", "{{ int .Values.m }}", "m: 1\n", {"m": "2"}, []),
    ("number by name", "{{ .Values.replicas }}", "replicas: 1\n", {"replicas": "many"}, ["replicas: pattern"]),
    ("other numbers may be names", "{{ .Values.port }}", "port: 80\n", {"port": "http"}, []),
    ("default of the template", "{{ .Values.replicas | default 1 }}", "", {"replicas": []}, ["replicas: type"]),
    ("condition only", "{{ if .Values.a }}{{ end }}", 'a: ""\n', {"a": {"any": 1}}, []),
    ("false in place of a map", "{{ if .Values.a }}{{ .Values.a.b }}{{ end }}", "a: false\n", {"a": {"b": 1}}, []),
    ("unknown function", "{{ frobnicate .Values.a }}", "", {"anything": 1}, []),
    ("not a template", "{{ if }}{{ .Values.a }}", "", {"anything": 1}, []),
]


@pytest.mark.parametrize(
    ("page", "defaults", "values", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_inferred(page, defaults, values, expected):
    assert judged(page, defaults, values) == expected


# id, values.yaml, a value that the comment allows, the same at a wrong place
COMMENTS = [
    ("block", "a:\n  b: 1\n  # c: # REQUIRED\n  #   d:\n  #     app: x\n", {"a": {"c": {"d": {}}}}, {"c": {}}),
    ("first of a map", "a:\n  # c:\n  #   d: 1\nz: 1\n", {"a": {"c": {"d": 1}}}, {"c": 1}),
    ("below an empty map", "a: {}\n  # c:\n  #   d: 1\nz: 1\n", {"a": {"c": 1}}, {"c": 1}),
    ("commented at the margin", "a:\n  b: []\n#  c:\n#    - d: 1\n  e: 1\n", {"a": {"c": [{"d": 1}]}}, {"c": 1}),
    ("without a space", "a:\n  b: 1\n  #c: 1\n", {"a": {"c": 1}}, {"c": 1}),
    ("at the top", "a: {b: 1}\n# c:\n#   d: 1\n", {"c": {"d": 1}}, {"a": {"c": 1}}),
    ("followed by prose", "a:\n  b: 1\n  # c: 1\n  # this: is [not yaml\n", {"a": {"c": 1}}, {"c": 1}),
]


@pytest.mark.parametrize(
    ("defaults", "right", "wrong"), [case[1:] for case in COMMENTS], ids=[case[0] for case in COMMENTS]
)
def test_commented_out_keys(defaults, right, wrong):
    page = "{{ .Values.a.b }}{{ .Values.z }}"
    assert judged(page, defaults, right) == []
    assert judged(page, defaults, wrong) != []


def test_prose_is_no_key():
    assert judged(READ, DEFAULTS + "# Note: all of it\n# see https://x.y/z: there\n", {"Note": 1}) == ["Note: unknown"]


def test_annotations():
    page = '{{ required "give a name" .Values.name }}\n{{ if eq .Values.kind "x" }}{{ end }}'
    schema = infer_schema(chart(page, "# the kind\nkind: y\nunused: 1\n"))
    sources = {name: node["x-source"] for name, node in schema["properties"].items() if name in ("kind", "unused")}
    assert sources == {"kind": "templates/a.yaml:2", "unused": "values.yaml:3"}
    jsonschema.Draft7Validator.check_schema(schema)
    assert "x-open" in infer_schema(chart("{{ if }}"))


def test_subcharts():
    engine = chart("{{ .Values.speed }}{{ .Values.global.zone }}", "speed: 1\n", "engine")
    shipped = ChartFiles("own", "1", "", {"name": "own"}, "a: 1\n", '{"type": "object"}', {}, ())
    more = {
        "dependencies": [
            {"name": "engine", "alias": "motor", "condition": "motor.enabled,deep.flag"},
            {"name": "own", "tags": ["all"]},
            {"name": "absent"},
        ]
    }
    page = "{{ .Values.motor.size }}{{ .Values.a }}"
    files = chart(page, "motor: {speed: 2}\n", metadata=more, subcharts=(engine, shipped))
    schema = infer_schema(files)
    values = {"motor": {"speed": 3, "size": 1, "enabled": True, "global": {"x": 1}}, "own": {"any": 1}}
    values |= {"absent": {"any": 1}, "tags": {"all": False}, "deep": {"flag": True}, "global": {"zone": 1}}
    assert errors(schema, values) == []
    assert errors(schema, {"motor": {"sped": 1}, "engine": {"speed": 1}}) == ["engine: unknown", "motor.sped: unknown"]


def test_library_whose_values_stand_in_the_parent():
    library = ChartFiles(
        "lib",
        "1",
        "",
        {"name": "lib", "type": "library"},
        "size: 1\n# color: red\n",
        None,
        {"templates/_h.tpl": '{{ define "lib.h" }}{{ .Values.lib.size }}{{ .Values.lib.color }}{{ end }}'},
        (),
    )
    files = chart('{{ include "lib.h" . }}', metadata={"dependencies": [{"name": "lib"}]}, subcharts=(library,))
    assert errors(infer_schema(files), {"lib": {"size": 2, "color": "blue", "colour": 1}}) == ["lib.colour: unknown"]


def test_helpers_of_a_missing_dependency_open_all():
    files = chart('{{ include "common.name" . }}{{ .Values.a }}', metadata={"dependencies": [{"name": "common"}]})
    assert errors(infer_schema(files), {"nameOverride": "x"}) == []


def test_templates_in_the_users_own_values():
    files = chart("{{ range .Values.hosts }}{{ tpl . $ }}{{ end }}", "hosts: []\n")
    values = {"hosts": ["www.{{ .Values.domain }}"], "domain": "x.org"}
    schema = infer_schema(files)
    kept = copy.deepcopy(schema)
    assert errors(schema, values) == ["domain: unknown"]
    assert errors(allow_templated(schema, values), values) == []
    assert schema == kept


def test_facts_hold_where_the_chart_has_the_key():
    page = "{{ .Values.provider.name }}{{ .Values.inferencePool.modelServers.matchLabels | toYaml }}"
    schema = infer_schema(chart(page, "provider: {name: none}\n", "inferencepool"))
    assert errors(schema, {"provider": {"name": "isto"}}) == [": required", "provider.name: enum"]
    assert errors(schema, {"inferencePool": {"modelServers": {"matchLabels": {}}}}) == [
        "inferencePool.modelServers.matchLabels: minProperties"
    ]
    assert errors(infer_schema(chart("{{ .Values.a }}", "", "inferencepool")), {"a": 1}) == []


def test_refused_keys_of_the_router_chart():
    page = '{{ if .Values.inferencePool }}{{ fail "old" }}{{ end }}{{ .Values.router.a }}'
    schema = infer_schema(chart(page, "", "llm-d-router-gateway"))
    assert errors(schema, {"inferencePool": {}}) == ["inferencePool: unknown"]
    assert "router.modelServers" in schema["x-forbidden"]["inferencePool"]["message"]


def test_cache(tmp_path, monkeypatch):
    files = chart(READ, DEFAULTS)
    first = cached_schema(files, "abc", str(tmp_path))
    monkeypatch.setattr(infer, "infer_schema", lambda _chart: pytest.fail("made again"))
    assert cached_schema(files, "abc", str(tmp_path)) == first
    (kept,) = (tmp_path / "schemas").iterdir()
    assert json.loads(kept.read_text()) == first
    monkeypatch.undo()
    kept.write_text('{"half')
    assert cached_schema(files, "abc", str(tmp_path)) == first
    (tmp_path / "file").write_text("")
    assert cached_schema(files, "abc", str(tmp_path / "file")) == first


POOL_VALUES = {
    "inferenceExtension": {
        "replicas": 2,
        "flags": {"v": 4, "kv-cache-usage-percentage-metric": "vllm:kv_cache_usage_perc"},
        "image": {"name": "epp", "hub": "registry.example", "tag": "v9.9.9", "pullPolicy": "IfNotPresent"},
        "extProcPort": 9002,
        "pluginsConfigFile": "mine.yaml",
        "pluginsCustomConfig": {"mine.yaml": "kind: EndpointPickerConfig\n"},
        "env": [{"name": "A", "value": "b"}],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "sidecar": {"enabled": True, "name": "s", "image": "i", "args": ["-v"], "resources": {"limits": {"cpu": 1}}},
        "monitoring": {"interval": "5s", "prometheus": {"enabled": True, "auth": {"secretName": "s"}}},
        "tracing": {"enabled": False, "sampling": {"samplerArg": "0.5"}},
    },
    "inferencePool": {
        "targetPorts": [{"number": 8000}],
        "modelServers": {"matchLabels": {"llm-d.ai/model": "m"}},
        "modelServerType": "vllm",
    },
    "provider": {"name": "istio", "istio": {"destinationRule": {"trafficPolicy": {"connectionPool": {"tcp": {}}}}}},
    "experimentalHttpRoute": {"enabled": True, "baseModel": "m"},
}
FREE = {"flags", "pluginsCustomConfig", "env", "volumes", "resources", "matchLabels", "connectionPool"}


def _maps(values: dict, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, inner in values.items():
        if isinstance(inner, dict) and name not in FREE:
            found += _maps(inner, (*path, name))
    return found


@pytest.fixture(scope="module")
def pool() -> tuple[ChartFiles, dict]:
    files = read_chart(str(LAB_CHARTS / "inferencepool"))
    start = time.process_time()
    schema = infer_schema(files)
    assert time.process_time() - start < 1
    return files, schema


def test_the_pool_charts_right_values(pool):
    files, schema = pool
    assert errors(schema, coalesce(files, copy.deepcopy(POOL_VALUES))) == []


@pytest.mark.parametrize("path", _maps(POOL_VALUES), ids=".".join)
def test_the_pool_charts_misspelt_and_misplaced_keys(pool, path):
    """Every key of a map: misspelt, in snake case, and moved up a level; each is named at its place."""
    files, schema = pool
    here = POOL_VALUES
    for name in path:
        here = here[name]
    for name in here:
        snake = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
        for wrong in {name[:-1], name + "x", name[0].upper() + name[1:], snake} - {name}:
            values = copy.deepcopy(POOL_VALUES)
            target = values
            for part in path:
                target = target[part]
            target[wrong] = target.pop(name)
            expected = ".".join((*path, wrong)) + ": unknown"
            assert expected in errors(schema, coalesce(files, values)), expected


def test_the_pool_charts_lists(pool):
    files, schema = pool
    values = copy.deepcopy(POOL_VALUES)
    values["inferencePool"]["targetPorts"] = [{"nunber": 8000}]
    assert errors(schema, coalesce(files, values)) == ["inferencePool.targetPorts.0.nunber: unknown"]


@pytest.mark.parametrize("name", ["llm-d-infra", "llm-d-modelservice"])
def test_charts_with_a_schema_agree_with_it(name):
    """What the chart's own schema takes for a key is not unknown to the inferred one either."""
    files = read_chart(str(LAB_CHARTS / name))
    schema = infer_schema(files)
    own = json.loads(files.schema or "{}")
    assert errors(schema, coalesce(files, {})) == []
    assert set(own["properties"]) <= {*schema["properties"], "global"}
