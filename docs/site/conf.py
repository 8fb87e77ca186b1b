# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Sphinx's configuration of the documentation's site. `make docs` builds it; build.py puts its sources together."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml
from docutils import nodes

galaxy = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2] / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{galaxy['namespace']}.{galaxy['name']}"
author = ", ".join(galaxy["authors"])
copyright = f"{project} contributors"  # noqa: A001 - Sphinx names it so
version = release = galaxy["version"]
html_title = project

# sphinx_antsibull_ext knows the roles and the style of what antsibull-docs writes.
extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["conf.py"]
# Headings are linked to as on GitHub.
myst_heading_anchors = 4
# A link to a page, a heading or an object that is not there is an error.
nitpicky = True
# Its colours have a contrast of 4.5 or more.
pygments_style = "default"
highlight_language = "YAML+Jinja"
html_theme = "furo"
html_show_sphinx = False
# Dark where the reader's system is, a menu that a phone opens; beside the theme, tables that fit.
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
ANSIBLE = "https://docs.ansible.com/ansible/latest"
# Labels of Ansible's own documentation that antsibull-docs refers to, and where they are: no network is asked for them.
ELSEWHERE = {
    "action_plugins": "plugins/action.html",
    "callback_plugins": "plugins/callback.html",
    "filter_plugins": "plugins/filter.html",
    "inventory_plugins": "plugins/inventory.html",
    "lookup_plugins": "plugins/lookup.html",
    "playbooks_filters": "playbook_guide/playbooks_filters.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
}
OTHER_COLLECTION = re.compile(rf"ansible_collections\.(?!{re.escape(project)}\.)(\w+)\.(\w+)\.(\w+)")


def elsewhere(_app: t.Any, _env: t.Any, node: t.Any, content: nodes.Node) -> nodes.reference | None:
    """Return the link to a label of Ansible's own documentation; nothing for labels that ought to be here."""
    target = node.get("reftarget", "")
    found = OTHER_COLLECTION.match(target.lower())
    path = f"collections/{found[1]}/{found[2]}/{found[3]}.html" if found else ELSEWHERE.get(target.lower())
    if node.get("reftype") == "envvar" and target.startswith("ANSIBLE_"):
        path = f"{ELSEWHERE['ansible_configuration_settings']}#envvar-{target}"
    return nodes.reference("", "", content, internal=False, refuri=f"{ANSIBLE}/{path}") if path else None


def setup(app: t.Any) -> dict[str, bool]:
    """Hook the links to Ansible's own documentation in."""
    app.connect("missing-reference", elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
