# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The inventory plugin clusters."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clusters
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: Clusters of kubeconfigs' contexts and of Cluster API
description:
  - Creates a host for each cluster, with the variables C(llm_d_kubeconfig) and C(llm_d_context) by which the playbooks
    and roles of this collection reach it.
  - Clusters are the contexts of kubeconfigs, and with O(cluster_api=true) those of which a management cluster of
    Cluster API keeps a kubeconfig, in a Secret C(NAME-kubeconfig) of the type C(cluster.x-k8s.io/secret).
  - The file's name has to be C(clusters.yml), or to end in C(.clusters.yml); C(.yaml) will do as well.
  - Each host has the variable C(llm_d_cluster), a map of C(source) (V(kubeconfig) or V(cluster_api)), C(name),
    C(namespace), C(context), C(file), C(server) and C(labels), and for Cluster API also C(annotations) and C(phase), of
    the Cluster object. Expressions in O(hostname), O(compose), O(groups) and O(keyed_groups) can use it.
  - Where the Cluster objects cannot be read, or that API is not served, hosts have no labels.
  - A kubeconfig from a Secret that would run a command here (C(exec), C(auth-provider)) or read a file here is
    skipped, because anyone who may write that Secret could choose them.
extends_documentation_fragment:
  - constructed
  - inventory_cache
requirements:
  - python >= 3.10
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0.1
options:
  plugin:
    description: Says that a file is for this plugin.
    type: str
    required: true
    choices: [llm_d.orchestrator.clusters]
  kubeconfigs:
    description:
      - Kubeconfig files; names may have C(~), environment variables and the wildcards of a shell.
      - A relative name is one beside the inventory file.
      - Without these and without O(cluster_api), the files in E(KUBECONFIG), or C(~/.kube/config).
    type: list
    elements: str
    default: []
  include:
    description:
      - Which clusters are included, as a shell's patterns of a context's name, or of a Cluster's C(NAME) or
        C(NAMESPACE/NAME). Empty means all.
    type: list
    elements: str
    default: []
  exclude:
    description: Which clusters are excluded, as in O(include).
    type: list
    elements: str
    default: []
  hostname:
    description:
      - Jinja2 expression for a host's name. What is neither a letter, a digit, C(.), C(_) nor C(-) becomes C(-) in it.
      - Two clusters of the same name are an error.
    type: str
    default: llm_d_cluster.name
  cluster_api:
    description: Whether to read clusters out of a management cluster of Cluster API.
    type: bool
    default: false
  management_kubeconfig:
    description:
      - Kubeconfig of the management cluster, as a path or as text.
      - Without it the rules of kubernetes.core hold, its C(K8S_AUTH_*) environment variables and a pod's own
        ServiceAccount included. It needs the permission to list Secrets, and Clusters for their labels.
    type: str
    env:
      - name: LLM_D_MANAGEMENT_KUBECONFIG
  management_context:
    description: Context of O(management_kubeconfig).
    type: str
    env:
      - name: LLM_D_MANAGEMENT_CONTEXT
  namespaces:
    description: Namespaces of the management cluster to look in. Empty means all.
    type: list
    elements: str
    default: []
  kubeconfig_as:
    description:
      - With V(file), C(llm_d_kubeconfig) is a path. Kubeconfigs out of Secrets are written to files of mode 0600 in
        O(kubeconfig_dir), and removed there when their cluster is gone.
      - With V(content), C(llm_d_kubeconfig) is the kubeconfig itself, of this one cluster. The output of
        C(ansible-inventory) then holds secrets, and so does whatever keeps the inventory.
      - AWX needs V(content), as it reads an inventory on another node than it runs the jobs on; it keeps the variables
        in its database.
    type: str
    choices: [file, content]
    default: file
  kubeconfig_dir:
    description:
      - Folder for kubeconfigs out of Secrets; each inventory file has a folder of its own in it.
      - By default C(llm-d-orchestrator/clusters) in E(XDG_RUNTIME_DIR), or else in E(XDG_CACHE_HOME) or C(~/.cache).
    type: str
    env:
      - name: LLM_D_KUBECONFIG_DIR
  cache:
    description:
      - Keeps what was read from the management cluster, without secrets. Only with O(kubeconfig_as=file), and while the
        files are there.
"""

EXAMPLES = r"""
# All contexts of the default kubeconfig. File: clusters.yml
plugin: llm_d.orchestrator.clusters

---
# Production clusters of several kubeconfigs, grouped by region. File: prod.clusters.yml
plugin: llm_d.orchestrator.clusters
kubeconfigs:
  - ~/.kube/config
  - ~/.kube/clusters/*.yaml
include: ["prod-*"]
exclude: ["*-old"]
compose:
  llm_d_namespace: "'llm-d'"
groups:
  production: llm_d_cluster.name.startswith('prod-')
keyed_groups:
  # prod-east-1 is in the group region_east
  - key: llm_d_cluster.name.split('-')[1]
    prefix: region

---
# Clusters of Cluster API, grouped by their labels. File: capi.clusters.yml
plugin: llm_d.orchestrator.clusters
cluster_api: true
management_kubeconfig: ~/.kube/management
namespaces: [fleet]
hostname: llm_d_cluster.namespace ~ '-' ~ llm_d_cluster.name
keyed_groups:
  - key: llm_d_cluster.labels.environment | default('other')
    prefix: environment
"""

import glob
import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import contexts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import kubeconfig as cluster_kubeconfig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.contexts import FoundCluster

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 marks what is no template only

    def trust_as_template(value: str) -> str:
        """Return the string as it is."""
        return value


def as_data(value: t.Any) -> t.Any:
    """Return a value in which no text is taken for a template, marked as such only where it could be one."""
    if isinstance(value, dict):
        return {key: as_data(item) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    return wrap_var(value) if "{" in value else trust_as_template(value)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads kubeconfigs and Secrets, and makes hosts of them."""

    NAME = "llm_d.orchestrator.clusters"

    def verify_file(self, path: str) -> bool:
        """Return whether a file is for this plugin, by its name."""
        return bool(super().verify_file(path)) and contexts.is_inventory_name(path)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the clusters to the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            found = self._contexts(path)
            if self.get_option("cluster_api"):
                found += self._managed(path, cache)
            hosts = contexts.named(found, [self._host_name(one.facts) for one in found])
        except OrchestratorError as exc:
            raise AnsibleParserError(f"{path}: {exc}") from exc
        for name, one in hosts.items():
            self._add(name, one)

    def _add(self, name: str, one: FoundCluster) -> None:
        """Add a host with its variables and groups. What clusters say is data, in which nothing is templated."""
        self.inventory.add_host(name)
        as_content = self.get_option("kubeconfig_as") == "content"
        variables = {
            "llm_d_cluster": one.facts,
            "llm_d_kubeconfig": cluster_kubeconfig.text_of(one.content) if as_content else one.file,
        }
        if one.context and not as_content:
            variables["llm_d_context"] = one.context
        for key, value in variables.items():
            self.inventory.set_variable(name, key, as_data(value))
        strict = self.get_option("strict")
        known = self.inventory.get_host(name).get_vars()
        self._set_composite_vars(self.get_option("compose"), known, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)

    def _host_name(self, facts: dict) -> str:
        try:
            return contexts.host_name(self._compose(self.get_option("hostname"), {"llm_d_cluster": as_data(facts)}))
        except Exception as exc:  # an expression can go wrong in any way
            raise OrchestratorError(f"cannot evaluate hostname for {facts['name']}: {exc}") from exc

    def _mistake(self, text: str) -> None:
        """End with a mistake, or without strict only warn of it."""
        if self.get_option("strict"):
            raise OrchestratorError(text)
        self.display.warning(text)

    def _contexts(self, source: str) -> list[FoundCluster]:
        """Return the clusters of kubeconfigs' contexts."""
        found = []
        for path, sure in self._paths(source):
            try:
                content = cluster_kubeconfig.read(path)
            except OrchestratorError as exc:
                if sure:
                    raise
                self._mistake(f"{path} was skipped: {exc.message}")
                continue
            if self.get_option("kubeconfig_as") == "content":
                content = cluster_kubeconfig.absolute(content, os.path.dirname(path))
            found += contexts.of_kubeconfig(path, content, self.get_option("include"), self.get_option("exclude"))
        return found

    def _paths(self, source: str) -> list[tuple[str, bool]]:
        """Return kubeconfigs' absolute paths, each with whether it has to be one."""
        wanted = self.get_option("kubeconfigs")
        if not wanted and not self.get_option("cluster_api"):
            wanted = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name] or ["~/.kube/config"]
        found: dict[str, bool] = {}
        for name in wanted:
            path = os.path.join(
                os.path.dirname(os.path.abspath(source)), os.path.expanduser(os.path.expandvars(str(name)))
            )
            matches = sorted(glob.glob(path)) if glob.has_magic(path) and not os.path.exists(path) else [path]
            if not matches:
                self._mistake(f"{source}: no file matches {name} in kubeconfigs.")
            found.update({match: match == path for match in matches if match == path or os.path.isfile(match)})
        return list(found.items())

    def _managed(self, source: str, cache: bool) -> list[FoundCluster]:
        """Return the clusters of Cluster API, from the cache where that may be."""
        as_file = self.get_option("kubeconfig_as") == "file"
        use = bool(as_file and self.get_option("cache"))
        key = ""
        if use:
            self.load_cache_plugin()
            key = self.get_cache_key(source)
        if use and cache:
            kept = [FoundCluster(row["facts"], row["file"]) for row in self._cache.get(key) or []]
            if kept and all(os.path.isfile(one.file) for one in kept):
                return kept
        found = self._read_managed()
        if as_file:
            self._write(source, found)
        if use:
            self._cache[key] = [{"facts": one.facts, "file": one.file} for one in found]
        return found

    def _read_managed(self) -> list[FoundCluster]:
        # Only here, as the client takes its time to load.
        from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.managed_clusters import read_managed

        kubeconfig = self.get_option("management_kubeconfig") or ""
        if not cluster_kubeconfig.is_content(kubeconfig):
            kubeconfig = os.path.expanduser(os.path.expandvars(kubeconfig))
        params = {"kubeconfig": kubeconfig, "context": self.get_option("management_context")}
        secrets, clusters, problems = read_managed(params, self.get_option("namespaces"))
        found, others = contexts.of_secrets(secrets, clusters, self.get_option("include"), self.get_option("exclude"))
        for problem in problems + others:
            self._mistake(problem)
        return found

    def _write(self, source: str, found: list[FoundCluster]) -> None:
        """Write the kubeconfigs out of Secrets to files that are this user's alone."""
        base = self.get_option("kubeconfig_dir") or contexts.runtime_folder(os.environ)
        folder = contexts.folder_of(source, os.path.abspath(os.path.expanduser(os.path.expandvars(base))))
        for one, path in zip(found, contexts.write(folder, [one.kept() for one in found]), strict=True):
            one.file = path
