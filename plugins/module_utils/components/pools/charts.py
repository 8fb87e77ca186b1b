# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The charts that make inference pools: where the values of each keep what, and which endpoint picker each is for."""

from __future__ import annotations

import dataclasses
import re

from ...base.data import KeyPath as Path
from ...base.data import Values, dig


@dataclasses.dataclass(frozen=True)
class PoolChart:
    """Where a chart's values keep what a pool needs. one_version: its releases have the picker's version.

    standalone: whether a proxy of its own lets requests in, so that there is neither Gateway nor HTTPRoute; pool,
    route: whether it makes an InferencePool, which is always where there is no such key, and an HTTPRoute.
    """

    extension: Path
    image_hub: str
    image_name: str
    selector: Path
    ports: Path
    server_type: Path
    service_ports: Path
    prometheus: tuple[str, ...]
    # The published chart, and the endpoint picker that it was tested with.
    ref: str = ""
    version: str = ""
    image: str = ""
    one_version: bool = False
    # The release of the Gateway API Inference Extension that it was built against.
    definitions: str = "v1.3.0"
    standalone: bool = False
    pool: Path = ()
    route: Path = ()
    proxy: Path = ()
    # Ports of its Service by default, which a list in the values replaces.
    own_ports: tuple[dict, ...] = ()

    def makes_pool(self, values: Values) -> bool:
        """Return whether a release with these values makes an InferencePool."""
        return not self.pool or dig(values, self.pool) is not False

    def makes_route(self, values: Values) -> bool:
        """Return whether a release with these values makes an HTTPRoute."""
        return bool(self.route and dig(values, self.route) is True)

    def has_proxies(self, values: Values) -> bool:
        """Return whether the proxy of a release with these values is a Deployment of its own."""
        return self.standalone and str(dig(values, (*self.proxy, "mode")) or "").lower() == "service"


# llm-d/llm-d-router, charts llm-d-router-gateway and -standalone and their library llm-d-routerlib v0.10.0
_ROUTER = PoolChart(
    extension=("router", "epp"),
    image_hub="registry",
    image_name="repository",
    selector=("router", "modelServers", "matchLabels"),
    ports=("router", "modelServers", "targetPorts"),
    server_type=("router", "modelServers", "type"),
    service_ports=("router", "extraServicePorts"),
    prometheus=("router", "monitoring", "prometheus", "enabled"),
    version="v0.10.0",
    image="ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0",
    one_version=True,
    # go.mod of v0.9.0 and v0.10.0
    definitions="v1.5.0",
    pool=("router", "inferencePool", "create"),
    proxy=("router", "proxy"),
)

CHARTS = {
    # kubernetes-sigs/gateway-api-inference-extension, config/charts/inferencepool v1.3.0
    "inferencepool": PoolChart(
        extension=("inferenceExtension",),
        image_hub="hub",
        image_name="name",
        selector=("inferencePool", "modelServers", "matchLabels"),
        ports=("inferencePool", "targetPorts"),
        server_type=("inferencePool", "modelServerType"),
        service_ports=("inferenceExtension", "extraServicePorts"),
        prometheus=("inferenceExtension", "monitoring", "prometheus", "enabled"),
        ref="oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool",
        version="v1.3.0",
        image="ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0",
        route=("experimentalHttpRoute", "enabled"),
    ),
    "llm-d-router-gateway": dataclasses.replace(
        _ROUTER, ref="oci://ghcr.io/llm-d/charts/llm-d-router-gateway", route=("httpRoute", "create")
    ),
    "llm-d-router-standalone": dataclasses.replace(
        _ROUTER,
        ref="oci://ghcr.io/llm-d/charts/llm-d-router-standalone",
        standalone=True,
        own_ports=({"name": "http", "port": 8081, "protocol": "TCP", "targetPort": 8081},),
    ),
}


def chart_named(name: str) -> str:
    """Return which chart a Chart.yaml means by its name, "" for none of these; builds for tests have a suffix."""
    return next((chart for chart in CHARTS if name == chart or name.startswith(f"{chart}-")), "")


def split_image(image: str) -> tuple[str, str, str | None]:
    """Return hub, name and tag of an image reference; the tag is None where it has none."""
    path, _at, digest = image.partition("@")
    hub, _slash, name = path.rpartition("/")
    name, _colon, tag = name.partition(":")
    if digest:
        # The charts join name and tag with a colon, so a digest travels behind the tag.
        tag = f"{tag}@{digest}" if tag else ""
    return hub, name, tag or None


def own_image(own: Values, chart: str, version: str) -> str:
    """Return the picker's image that a version of the chart is made for, the tested one where that is not known.

    Picker and chart change together. own: the chart's values; version: as asked for, '' for any.
    """
    tested = CHARTS[chart].image
    name = split_image(tested)[1]
    found = dig(own, (*CHARTS[chart].extension, "image"))
    parts = [found.get(key) for key in ("registry", "hub", "repository", "name")] if isinstance(found, dict) else []
    path, tag = "/".join(str(part) for part in parts if part), str(found.get("tag") or "") if parts else ""
    if path.rpartition("/")[2] == name and re.match(r"v?\d", tag):
        return f"{path}:{tag}"
    released = CHARTS[chart].one_version and re.match(r"v\d", version or "")
    return f"{tested.rpartition(':')[0]}:{version}" if released else tested


def built_against(chart: str, version: str) -> str:
    """Return the release of the Gateway API Inference Extension that a chart was built against, "" where unknown.

    The extension's own chart has its version; the router's are known since v0.9.0, and 0.0.0 is what is newest.
    """
    if chart not in CHARTS or not re.match(r"v?\d+\.\d+", version):
        return ""
    major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
    if not CHARTS[chart].one_version:
        return f"v{major}.{minor}.0" if major else ""
    return CHARTS[chart].definitions if (major, minor) >= (0, 9) or (major, minor) == (0, 0) else ""
