# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The stores of LLM-Orchestrator inside the cluster, where asked for: PostgreSQL, Redis and NATS by charts of the user.

Charts differ in names, values and in how they take passwords, so that nothing of them is guessed: the user names chart,
version and values, and the addresses in llm_orchestrator_database_url and its like.
"""

from __future__ import annotations

from ..base.data import Object, Values, mapping
from ..base.findings import Findings
from ..base.names import RELEASE_LIMIT, name_problem
from ..values.layers import check_entry, merge_all
from .base import OBJECTS, ORCHESTRATOR, RELEASE, Component, Part, named
from .extra_releases import check_chart

STORES = ("postgres", "redis", "nats")
KEYS: dict[str, type] = {"chart": str, "version": str, "release_name": str, "values_files": list, "values": dict}
SECRETS = "secrets"


class OrchestratorStoresComponent(Component):
    """The component `orchestrator_stores`: a release for each store that has a chart."""

    name = "orchestrator_stores"
    group = ORCHESTRATOR
    hidden = (SECRETS,)

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        filled = dict(given)
        for store in STORES:
            where = f"{cls.name}_{store}"
            entry = check_entry(given.get(store) or {}, KEYS, where, findings) or {}
            filled[store] = entry
            if entry:
                check_chart(entry, where, findings)
            if wrong := name_problem(entry.get("release_name") or store, RELEASE_LIMIT):
                findings.add(f"{where}.release_name", wrong, "use a name such as postgres", rule="input-name")
        return filled

    @classmethod
    def asked(cls, given: Values) -> bool:
        return any(mapping(given.get(store)).get("chart") for store in STORES)

    def resolve(self) -> None:
        """Read the values files."""
        self.layers = {
            store: self.stack.loader.layers(self.given[store], f"{self.name}_{store}.")
            for store in STORES
            if self.given[store].get("chart") and not self.idle
        }

    def make_parts(self) -> list[Part]:
        found = [self._secrets()] if self.layers and self.secret(SECRETS) else []
        for store, layers in self.layers.items():
            entry = self.given[store]
            values = merge_all(layer.values for layer in layers)
            spec = {"chart_ref": entry["chart"], "chart_version": entry.get("version") or None, "values": values}
            name = entry.get("release_name") or store
            part = Part(self.name, name, self.namespace, RELEASE, spec, f"{self.name}_{store}.release_name", layers)
            part.chart_settings = (f"{store}.chart", f"{store}.version")
            found.append(part)
        return found

    def _secrets(self) -> Part:
        """Return the Secrets that the charts' values name, their data to be filled in."""
        variable = self.secret(SECRETS)
        objects, fill = [], {}
        for name, data in mapping(self.stack.params["secrets"][variable]).items():
            keys = mapping(data)
            body = {**named("v1", "Secret", name, self.namespace), "type": "Opaque", "data": dict.fromkeys(keys, "")}
            objects.append(body)
            fill[name] = {key: {"secret": variable, "path": [name, key]} for key in keys}
        spec: Object = {"objects": objects, "fill": fill}
        return Part(self.name, f"{self.name}-secrets", self.namespace, OBJECTS, spec)

    def serves(self) -> list[Object]:
        """The releases themselves are waited for: what their charts make, they alone know."""
        return []
