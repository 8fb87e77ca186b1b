# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pages looked at in headless Chromium: python tests/pictures/look.py [FOLDER_FOR_SCREENSHOTS].

Records, a fleet's summary, pages of the documentation's site and the drawings in it, on a wide screen and on a phone,
light and dark, in the browser's font and in a wide one: nothing scrolls sideways, texts are inside their boxes, words
are whole, colours can be told apart, links can be touched.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import sys
import tempfile
import typing as t

from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = ROOT / ".cache" / "docs" / "html"
sys.path += [str(ROOT / "tests/unit/plugins/module_utils"), str(ROOT / "playbooks/collections")]

from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet import page as fleet_page  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.page import page as record_page  # noqa: E402
from fleet.test_screen import report, row  # noqa: E402
from record.samples import CAUSE, checks, event, failed, model, release, sample, stack  # noqa: E402

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# No sandbox: CI runs as root. Nothing is asked of the network.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
WIDE, PHONE = 1280, 390
# Of a page that is looked at, and of its picture.
HEIGHT, TALL = 900, 2400
# Wider than any font that a reader is likely to have.
# A page's own policy and a drawing take no foreign style elements, but adopted ones.
ADOPT = "css => {const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s]}"
FONTS = {"": "", "wide": '*:not(pre,code,pre *){font-family:"DejaVu Sans"!important;letter-spacing:.02em!important}'}
# Pages of the site; the first has the menu tried.
PAGES = ("index", "architecture", "reference/variables", "operate/plan")
SCRIPT = pathlib.Path(__file__).with_name("page.js").read_text(encoding="utf-8")

NAMES = ("qwen3-32b-instruct", "llama-3-3-70b-instruct-fp8-dynamic", "deepseek-r1-distill")
LONG = "ms-llama-3-3-70b-instruct-fp8-dynamic-llm-d-modelservice-decode"
IMAGE = "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1-does-not-exist"


def records() -> dict[str, str]:
    """Return the pages of a deployment that succeeded and of one that failed, with names as long as they get."""
    models = [
        model(name, {"prefill": 2, "decode": 4} if number else {"decode": 2}) for number, name in enumerate(NAMES)
    ]
    models[0]["hostnames"] = ["models.apps.cluster-east.example.com"]
    answers = [
        {"name": name, "model": f"org/{name}", "status": 200, "ok": True, "latency_ms": 210.4,
         "url_path": f"POST /{name}/v1/completions", "served_by": [f"{LONG}-7d9f8c5b6-abcde"]}
        for name in NAMES
    ]  # fmt: skip
    asked = ["kubectl -n llm-d port-forward service/infra-llm-d-inference-gateway-istio 8080:80 &"]
    for name in NAMES:
        body = json.dumps({"model": f"org/{name}", "prompt": "The capital of France is", "max_tokens": 16})
        asked += [f"curl -sS --retry 9 http://localhost:8080/{name}/v1/completions \\", f"  -d '{body}'"]
    known = stack(*models)
    known["gateway"] |= {"name": "infra-llm-d-inference-gateway", "class_name": "istio"}
    made: dict[str, t.Any] = {
        "stack": known,
        "releases": [release(f"ms-{name}") for name in NAMES] + [release(f"gaie-{name}") for name in NAMES],
        "plan_digest": f"sha256:{'0123456789abcdef' * 4}",
        "events": [
            event(4 + number, component, f"{prefix}-{name}", step, "done", seconds=3.0 + number)
            for number, name in enumerate(NAMES)
            for component, prefix, step in (("modelservice", "ms", "install"), ("gaie", "gaie", "ready"))
        ],
    }
    served = {
        "checks": [row for name in NAMES for row in checks(name)],
        "models": answers,
        "endpoint": "x",
        "commands": asked,
    }
    text = f"{LONG}: pod {LONG}-7d9f8c5b6-abcde: container vllm: image {IMAGE} cannot be pulled: ErrImagePull"
    cause = {**CAUSE, "objects": [f"Pod llm-d/{LONG}-7d9f8c5b6-abcde"], "evidence": [text, f"Back-off pulling {IMAGE}"],
             "remedy": f"Correct decode.containers[0].image in values/llama.yaml:12, or push {IMAGE}."}  # fmt: skip
    diagnosis = {"causes": [cause], "state": [f"gaie: deployed and ready: {', '.join(NAMES)}"], "evidence": []}
    bad = {
        **made,
        "failure": {"component": "modelservice", "text": f"1 of 3 releases failed:\n  - {text}"},
        "diagnosis": diagnosis,
        "releases": [release("ms-a"), release(f"ms-{NAMES[1]}", ready=False, error=text)],
        "events": [*made["events"], event(8, "modelservice", f"ms-{NAMES[1]}", "ready", "failed", seconds=9.0)],
        "verification": {},
    }
    return {"record": record_page(sample(**made, verification=served)), "record-failed": record_page(failed(**bad))}


def fleet() -> str:
    """Return the page of a run on five clusters, two of which failed."""
    again = "ansible-playbook llm_d.orchestrator.site -i inventory --limit"
    text = f"modelservice: the image does not exist: {IMAGE}"
    rows = [
        row("production-europe-west-1", models=list(NAMES), record="/records/production-europe-west-1/1"),
        row("production-us-east-2", "failed", 2, text, remedy=f"Correct the tag, or push {IMAGE}.",
            command=f"{again} production-us-east-2", record="/records/production-us-east-2/20261121T083000Z"),
        row("edge-oslo", "unreachable", 2, "the cluster does not answer: https://10.20.30.40:6443",
            remedy="Check llm_d_kubeconfig and the network.", command=f"{again} edge-oslo"),
        row("staging", versions={"Kubernetes": "v1.33.1", "gateway": "istio", "llm-d-modelservice": "v0.4.5"}),
        row("canary", "untouched", 3),
    ]  # fmt: skip
    known = report(*rows, waves=[1, 2, 2], retry=f"{again} @/records/fleet/20261121T083000Z/failed.txt")
    return fleet_page.page(known, "/records/fleet/20261121T083000Z")


def looked_at(folder: pathlib.Path) -> list[pathlib.Path]:
    """Write the pages and return all that are looked at."""
    for name, text in {**records(), "fleet": fleet()}.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    site = [SITE / f"{name}.html" for name in PAGES]
    return [*sorted(folder.glob("*.html")), *site, *sorted((ROOT / "docs").glob("*.svg"))]


def menu(page: Page) -> list[str]:
    """Return why the site's menu does not lead anywhere on a phone."""
    page.locator("label.nav-overlay-icon").first.click()
    link = page.locator(".sidebar-tree a").first
    link.wait_for(state="visible")
    page.wait_for_timeout(400)  # it slides in
    box = link.bounding_box()
    if not box or box["x"] < -2 or box["x"] + box["width"] > PHONE or box["height"] < 24:
        return [f"a link of the menu cannot be touched: {box}"]
    link.click()
    return [] if "quick-start" in page.url else [f"the menu leads to {page.url}"]


def mistakes(context: BrowserContext, path: pathlib.Path, width: int, picture: str) -> list[str]:
    """Return what is wrong with a page in a browser. picture: how files of screenshots begin, "" for none."""
    page = context.new_page()
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.goto(path.as_uri())
    for font, style in FONTS.items():
        if style:
            page.evaluate(ADOPT, style)
        found += [f"{font or 'own'} font: {text}" for text in page.evaluate(SCRIPT, width == PHONE)]
        if picture:
            # A page as a whole would be too tall a picture: what fits into a tall window.
            page.set_viewport_size({"width": width, "height": TALL})
            page.screenshot(path=f"{picture}{'-' + font if font else ''}.png")
            page.set_viewport_size({"width": width, "height": HEIGHT})
    if path == SITE / "index.html" and width == PHONE:
        found += menu(page)
    page.close()
    return found


def main() -> int:
    """Look at all pages; return 1 where anything is wrong with one."""
    shots = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pages = looked_at(pathlib.Path(folder))
        for scheme, width in itertools.product(("light", "dark"), (WIDE, PHONE)):
            with tempfile.TemporaryDirectory() as profile:
                context = playwright.chromium.launch_persistent_context(
                    profile, executable_path=CHROMIUM, args=FLAGS, color_scheme=t.cast(t.Any, scheme),
                    viewport={"width": width, "height": HEIGHT}, has_touch=width == PHONE,
                )  # fmt: skip
                for path in pages:
                    name = f"{path.stem}-{width}-{scheme}"
                    if path.suffix == ".svg" and width == PHONE:
                        continue  # drawn as wide as it is; inside a page it shrinks as a whole
                    found[name] = mistakes(context, path, width, str(shots / name) if shots else "")
                context.close()
    wrong = {name: list(dict.fromkeys(texts)) for name, texts in found.items() if texts}
    for name, texts in wrong.items():
        print(f"{name}:", *texts[:12], *([f"and {len(texts) - 12} more"] if len(texts) > 12 else []), sep="\n  ")
    print(json.dumps({"pages": len(found), "wrong": len(wrong)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
