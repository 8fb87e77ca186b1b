# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All components by name. A component stands after those whose results it uses; waves are the component table's."""

from __future__ import annotations

from .base import Component
from .dynamo_frontend import DynamoFrontendComponent
from .dynamo_models import DynamoModelsComponent
from .dynamo_platform import DynamoPlatformComponent
from .extra_releases import ExtraReleasesComponent
from .gaie import GaieComponent
from .gateway import GatewayComponent
from .httproute import HttprouteComponent
from .llm_orchestrator import LlmOrchestratorComponent
from .llm_router import LlmRouterComponent
from .modelservice import ModelserviceComponent
from .monitoring import MonitoringComponent
from .orchestrator_stores import OrchestratorStoresComponent
from .prepare import PrepareComponent

COMPONENTS: dict[str, type[Component]] = {
    cls.name: cls
    for cls in (
        GatewayComponent,
        ModelserviceComponent,
        GaieComponent,
        HttprouteComponent,
        DynamoPlatformComponent,
        DynamoModelsComponent,
        DynamoFrontendComponent,
        LlmRouterComponent,
        OrchestratorStoresComponent,
        LlmOrchestratorComponent,
        ExtraReleasesComponent,
        PrepareComponent,
        MonitoringComponent,
    )
}

# Groups of APIs whose definitions come with a stack.
BROUGHT = frozenset(group for cls in COMPONENTS.values() for group in cls.groups)
