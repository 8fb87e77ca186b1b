# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.fronts import fronts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.page import markdown, page
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.timeline import lanes, phases, ticks
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.topology import topology
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.topology_svg import Box, _columns, _rows
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.pages import html
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.style import DARK, LIGHT

from record.samples import checks, failed, model, release, route, sample, stack

HOSTILE = "</svg><script>alert(1)</script><img src=x onerror='x'>\"&amp;\x00\x1b[31m\u202e\ud800{{ 7*7 }}"


def parsed(record):
    text = page(record)
    first, rest = text.split("\n", 1)
    assert first == "<!doctype html>"
    return ET.fromstring(rest)


def texts(root):
    return " ".join("".join(root.itertext()).split())


def drawing(root, name):
    return next(item for item in root.iter("svg") if item.get("aria-labelledby", "").startswith(name))


def test_the_page_needs_nothing_else():
    root = parsed(sample())
    assert {item.tag for item in root.iter()} & {"script", "link", "img", "iframe", "object", "image"} == set()
    for item in root.iter():
        assert not any(name.startswith("on") or name in ("href", "src") for name in item.attrib), item.tag
    assert "url(" not in page(sample()) and "@import" not in page(sample())
    policy = next(item for item in root.iter("meta") if item.get("http-equiv"))
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_same_record_gives_the_same_page():
    assert page(sample()) == page(json.loads(json.dumps(sample())))


def test_values_are_data():
    record = failed(
        stack=stack(model(HOSTILE, {HOSTILE: 1}, hostnames=[HOSTILE], model=HOSTILE)),
        cluster=HOSTILE,
        by={"user": HOSTILE, "host": HOSTILE},
        failure={"component": HOSTILE, "text": HOSTILE},
        diagnosis={"causes": [{"title": HOSTILE, "evidence": [HOSTILE, {HOSTILE: HOSTILE}], "remedy": HOSTILE}]},
        releases=[release(HOSTILE, error=HOSTILE, chart=HOSTILE)],
        verification={"checks": checks(HOSTILE, bad="pods"), "models": [{"name": HOSTILE, "status": HOSTILE}]},
        versions={HOSTILE: HOSTILE},
        plan_digest=HOSTILE,
        events=[{"time": "2026-11-21T08:30:01.000Z", "component": HOSTILE, "name": HOSTILE, "step": HOSTILE,
                 "status": "failed", "detail": HOSTILE}],
    )  # fmt: skip
    root = parsed(record)
    assert {item.tag for item in root.iter()} & {"script", "img"} == set()
    assert "alert(1)" in texts(root) and "{{ 7*7 }}" in texts(root)
    text = page(record)
    assert not re.search("[\x00-\x08\x1b\u202e\ud800]", text) and text.encode()


def test_the_topology_is_a_tree_of_the_way_of_a_request():
    record = sample(verification={"checks": checks("a") + checks("b", bad="pool"), "models": []})
    root = topology(record)
    assert (root.kind, root.title, root.lines, root.state) == ("Gateway", "gw", ["istio, class istio"], "ready")
    assert [(node.title, node.lines, node.state) for node in root.children] == [
        ("llm-d-a", ["/a"], "ready"),
        ("llm-d-b", ["/b"], "ready"),
    ]
    (pool,) = root.children[1].children
    assert (pool.title, pool.lines, pool.state) == ("gaie-b", ["picker gaie-b-epp", "port 8000"], "not ready")
    assert [(node.title, node.lines[:2]) for node in pool.children] == [
        ("prefill \u00d7 1", ["org/b", "port 8000"]),
        ("decode \u00d7 3", ["org/b", "port 8000"]),
    ]
    (servers,) = root.children[0].children[0].children
    assert servers.lines == ["org/a", "port 8000", "Deployment ms-a-decode", "pods of a"]


def test_a_route_of_several_models_is_drawn_once():
    found = stack(model("a", {"decode": 1}, hostnames=["a.example"]), model("b", {"decode": 1}))
    both = route("llm-d", "gaie-a")
    both["spec"]["rules"] += route("llm-d", "gaie-b")["spec"]["rules"]
    (node,) = topology(sample(stack={**found, "routes": [both]})).children
    assert (node.title, node.lines, len(node.children)) == ("llm-d", ["a.example/a", "/b"], 2)


@pytest.mark.parametrize(
    ("ready", "verified", "state"),
    [(True, [], "ready"), (False, [], "not ready"), (None, [], "unknown"), (False, checks("a"), "not ready")],
)
def test_what_was_not_verified_is_known_by_its_objects(ready, verified, state):
    one = stack(model("a", {"decode": 1}))
    record = sample(stack=one, releases=[release("ms-a", ready=ready)], verification={"checks": verified})
    assert topology(record).children[0].children[0].children[0].state == state


@pytest.mark.parametrize("place", [_columns, _rows])
def test_boxes_do_not_overlap(place):
    models = [model(f"m{number}", {"prefill": 1, "decode": 1} if number % 3 else {"decode": 1}) for number in range(12)]
    boxes: list[Box] = []
    place(topology(sample(stack=stack(*models))), 0, 0, boxes, [])
    assert len(boxes) == 1 + 12 + 12 + 12 + 8
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
        assert one.x >= 0 and one.y >= 0


def test_drawings_are_told_in_words():
    root = parsed(failed())
    for name in ("topology-wide", "topology-narrow", "timeline-wide", "timeline-narrow"):
        svg = drawing(root, name)
        ids = svg.get("aria-labelledby").split()
        told = {item.get("id"): item.text for item in svg.iter() if item.get("id")}
        assert svg.get("role") == "img" and all(told[one] for one in ids)
    assert "Gateway gw (ready), to HTTPRoute llm-d-a" in texts(root)
    assert "planning 0.0 to 4.0 s; deploying 4.0 to 16.0 s; routing 19.5 to 20.0 s" in texts(root)
    assert "modelservice ms-a failed" in texts(root)


def test_the_timeline_has_phases_and_a_lane_for_each_release():
    steps = failed()["steps"]
    assert phases(steps, 30.0) == [
        ("planning", 0.0, 4.0),
        ("deploying", 4.0, 16.0),
        ("routing", 19.5, 20.0),
        ("verify", 21.0, 30.0),
    ]
    assert [(label, len(rows)) for label, rows in lanes(steps)] == [
        ("modelservice ms-a", 2),
        ("gaie gaie-a", 1),
        ("httproute llm-d-a", 1),
        ("verify a", 1),
    ]
    bars = [item for item in drawing(parsed(failed()), "timeline-wide").iter("g") if "bar" in item.get("class", "")]
    styles = [item.get("class") for item in bars]
    assert styles.count("bar phase") == 4 and styles.count("bar wait failed") == 1 and "bar probe open" in styles
    # What ran in parallel stands side by side: both began at 4 s.
    starts = [item.find("rect").get("x") for item in bars if "work" in item.get("class")][:2]
    assert len(set(starts)) == 1


@pytest.mark.parametrize(
    ("total", "room", "found"),
    [(10.0, 300, [0, 5, 10]), (0.0, 300, [0, 0.05, 0.1]), (3600.0, 700, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500])],
)
def test_ticks(total, room, found):
    assert ticks(total, room) == found


def test_a_failure_is_explained():
    text = texts(parsed(failed()))
    for part in (
        "failed",
        "ms-a has no ready pod",
        "DIAG101",
        "The image does not exist",
        "Mend the tag.",
        "no such tag",
        "Explains: Deployment ms-a-decode",
        "gaie: deployed and ready: gaie-a",
    ):
        assert part in text
    unknown = failed(diagnosis={"causes": [], "evidence": [{"pod": "x", "reason": "odd"}]})
    assert '{"pod": "x", "reason": "odd"}' in texts(parsed(unknown))
    assert "Failure" not in texts(parsed(sample()))


def test_the_cause_stands_before_the_error():
    text = texts(parsed(failed()))
    assert text.index("The image does not exist") < text.index("Mend the tag.") < text.index("ms-a has no ready pod")
    page = markdown(failed())
    assert page.index("## Why it failed") < page.index("## Error")


def test_no_name_is_cut_where_it_fits_on_lines():
    name = "llama-3-3-70b-instruct-fp8-dynamic"
    root = parsed(sample(stack=stack(model(name, {"decode": 1}))))
    for form in ("topology-wide", "topology-narrow"):
        told = "".join(text.text or "" for text in drawing(root, form).iter("text"))
        assert f"gaie-{name}" in told and f"llm-d-{name}" in told and "\u2026" not in told


def test_models_are_asked_by_commands_to_copy():
    commands = ["kubectl -n llm-d port-forward service/gw 8080:80 &", "curl http://localhost:8080/a \\", "  -d '{}'"]
    record = sample(verification={"models": [], "commands": commands})
    blocks = [item for item in parsed(record).iter("pre") if item.get("class") == "command"]
    assert ["".join(block.itertext()) for block in blocks] == [commands[0], "\n".join(commands[1:])]
    assert "\n".join(commands) in markdown(record)
    assert "Ask the models" not in texts(parsed(sample()))


def test_an_empty_record_has_a_page():
    text = texts(parsed(sample(stack={}, releases=[], verification={}, events=[])))
    assert "Topology" not in text and "Timeline" not in text and "Deployment on" in text


def luminance(colour):
    colour = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    ("text", "back"),
    [(text, back) for text in ("text", "muted", "accent", "good", "bad", "warn") for back in ("page", "card")]
    + [(name, f"{name}-back") for name in ("good", "bad", "warn")],
)
def test_contrast(theme, text, back):
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", theme))
    light, dark = sorted((luminance(colours[text]), luminance(colours[back])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_what_is_no_element_is_escaped():
    template = '<p title="{{ title }}" data-x="{{ number }}">{{ text }}{{ element }}{{ nothing }}</p>'
    values = {"title": '"', "number": 1, "text": "<b>", "element": html("test-i", "<i>x</i>"), "nothing": None}
    assert html("test-p", template, **values) == '<p title="&#34;" data-x="1">&lt;b&gt;<i>x</i></p>'


def test_the_classes_of_a_router_are_a_table():
    row = {"router": "r", "policy": "task_router", "strategy": "manual", "class": "Closed QA", "model": "org/a",
           "status": 200, "ok": True, "latency_ms": 9.1, "chosen": "Closed QA", "answered_by": "org/a"}  # fmt: skip
    chosen = {**row, "class": "", "strategy": "triton", "chosen": "Other"}
    record = sample(verification={"classes": [row, chosen], "endpoints": ["x"], "endpoint": "x"})
    for text in (page(record), markdown(record)):
        assert "Classes" in text and "Closed QA" in text and "classifier: Other" in text


FRONT = {
    "name": "vllm-frontend",
    "namespace": "d",
    "service": "vllm-frontend-frontend",
    "port": 8000,
    "version": "0.5.0",
}


def dynamo_record(*bad, **more):
    models = [{"name": name, "model": f"org/{name}", "roles": {"decode": 2, "prefill": 1}} for name in ("a", "b")]
    llms = [{"name": "A", "api_base": "http://vllm-frontend-frontend.d.svc:8000", "model": "org/a"}]
    routers = [{"release": "r", "service": "r-controller", "port": 8084, "policies": [{"name": "p", "llms": llms}]}]
    rows = [
        {
            "model": model,
            "name": name,
            "ok": (model, name) not in bad,
            "level": "failed",
            "detail": f"{name} of {model}",
        }
        for model, name in (("r", "router"), ("vllm-frontend", "frontend"), ("a", "pods"), ("b", "pods"), ("b", "chat"))
    ]
    stack = {"models": [], "frontends": [{**FRONT, "models": models}], "routers": routers}
    return sample(stack={**stack, **more}, verification={"checks": rows})


def test_a_router_leads_to_the_frontend_and_its_models():
    (root,) = fronts(dynamo_record(("b", "chat")))
    assert (root.kind, root.title, root.state) == ("LLM Router", "r", "ready")
    (front,) = root.children
    assert [(node.title, node.state) for node in front.children] == [("a", "ready"), ("b", "not ready")]
    assert [(node.title, node.state) for node in front.children[1].children] == [
        ("decode \u00d7 2", "ready"),
        ("prefill \u00d7 1", "ready"),
    ]
    assert "LLM Router r" in texts(drawing(parsed(dynamo_record()), "topology-wide"))


def test_a_frontend_without_a_router_and_a_gateway_beside_it():
    assert [root.kind for root in fronts(dynamo_record(routers=[]))] == ["frontend"]
    beside = {**sample()["stack"], "frontends": [FRONT]}
    root = parsed(sample(stack=beside))
    assert "Gateway" in texts(drawing(root, "topology-wide-title")) and drawing(root, "topology-wide-1")
    assert fronts(sample()) == []
