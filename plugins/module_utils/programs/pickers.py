# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What endpoint pickers know, by version: their flags, the keys of their configuration, feature gates and plugins.

"epp" is the picker of the Gateway API Inference Extension, "router" that of llm-d, which is built upon it.
"""

from __future__ import annotations

from .shapes import Shapes
from .tables import Table

EPP_VERSIONS = ((1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5))
ROUTER_VERSIONS = ((0, 3), (0, 4), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (0, 10))
_EPP = "kubernetes-sigs/gateway-api-inference-extension vVERSION"
_ROUTER = "llm-d/llm-d-router vVERSION, and the inference extension of its go.mod"
EPP_FLAGS = Table(
    "the endpoint picker",
    f"{_EPP}, cmd/epp/runner and pkg/epp/server",
    EPP_VERSIONS,
    """
- - bool enable-pprof ha-enable-leader-election health-checking model-server-metrics-https-insecure-skip-verify
- - bool secure-serving zap-devel
1.1 - bool metrics-endpoint-auth tracing
1.3 - bool disable-endpoint-subset-filter enable-cert-reload
- - choice:console|json zap-encoder
- - choice:http|https model-server-metrics-scheme
- - duration metrics-staleness-threshold refresh-metrics-interval refresh-prometheus-metrics-interval
- - int grpc-health-port grpc-port metrics-port model-server-metrics-port v,-v
1.4 - refused:deprecated cache-info-metric kv-cache-usage-percentage-metric lora-info-metric
1.4 - refused:deprecated total-queued-requests-metric total-running-requests-metric
- 1.4 text kv-cache-usage-percentage-metric lora-info-metric total-queued-requests-metric
- - text cert-path config-file config-text kubeconfig model-server-metrics-path pool-group pool-name pool-namespace
- - text zap-log-level zap-stacktrace-level zap-time-encoding
1.1 1.4 text cache-info-metric
1.2 - text endpoint-selector endpoint-target-ports
1.3 1.4 text total-running-requests-metric
""",
)
ROUTER_FLAGS = Table(
    "the endpoint picker",
    f"{_ROUTER}, pkg/epp/server",
    ROUTER_VERSIONS,
    """
- 0.10 bool model-server-metrics-https-insecure-skip-verify
- - bool enable-pprof ha-enable-leader-election health-checking secure-serving zap-devel
0.4 - bool metrics-endpoint-auth tracing
0.5 - bool disable-endpoint-subset-filter enable-cert-reload
0.9 - bool enable-grpc-stream-metrics
0.10 - bool allow-experimental-plugins emit-endpoint-scores
0.10 - choice:VersionTLS10|VersionTLS11|VersionTLS12|VersionTLS13 tls-min-version
- - choice:console|json zap-encoder
- 0.10 choice:http|https model-server-metrics-scheme
- - duration metrics-staleness-threshold refresh-metrics-interval refresh-prometheus-metrics-interval
0.10 - duration drain-timeout
- 0.10 int model-server-metrics-port
- - int grpc-health-port grpc-port metrics-port v,-v
0.7 - refused:deprecated cache-info-metric kv-cache-usage-percentage-metric lora-info-metric
0.7 - refused:deprecated total-queued-requests-metric total-running-requests-metric
- 0.7 text kv-cache-usage-percentage-metric lora-info-metric total-queued-requests-metric
- 0.10 text model-server-metrics-path
- - text cert-path config-file config-text kubeconfig pool-group pool-name pool-namespace zap-log-level
- - text zap-stacktrace-level zap-time-encoding
0.4 0.7 text cache-info-metric
0.4 - text endpoint-selector endpoint-target-ports
0.5 0.7 text total-running-requests-metric
0.9 - text grpc-max-recv-msg-size grpc-max-send-msg-size
0.10 - text metrics-cert-dir metrics-client-ca-file tls-cipher-suites
""",
)
EPP_GATES = Table(
    "the endpoint picker",
    f"{_EPP}, cmd/epp/runner",
    EPP_VERSIONS,
    """
1.2 - any dataLayer flowControl
1.3 1.5 any prepareDataPlugins
1.5 - any enableLegacyMetrics
""",
)
ROUTER_GATES = Table(
    "the endpoint picker",
    f"{_ROUTER}, cmd/epp/runner",
    ROUTER_VERSIONS,
    """
0.4 0.10 any dataLayer
0.4 - any flowControl
0.5 0.8 any prepareDataPlugins
0.8 0.9 any enableLegacyMetrics
0.10 - any haPopulateNonLeaderDatastore
""",
)
EPP_CONFIG = Shapes(
    f"{_EPP}, apix/config/v1alpha1",
    EPP_VERSIONS,
    """
- 1.2 EndpointPickerConfig apiVersion:text kind:choice:EndpointPickerConfig plugins[].name:text |
    plugins[].parameters:any plugins[].type:text schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:int
1.2 1.3 EndpointPickerConfig apiVersion:text featureGates[]:text kind:choice:EndpointPickerConfig |
    plugins[].name:text plugins[].parameters:any plugins[].type:text saturationDetector.kvCacheUtilThreshold:float |
    saturationDetector.metricsStalenessThreshold:duration saturationDetector.queueDepthThreshold:int |
    schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:int
1.3 1.4 EndpointPickerConfig apiVersion:text data.sources[].extractors[].pluginRef:text |
    data.sources[].pluginRef:text featureGates[]:text kind:choice:EndpointPickerConfig plugins[].name:text |
    plugins[].parameters:any plugins[].type:text saturationDetector.kvCacheUtilThreshold:float |
    saturationDetector.metricsStalenessThreshold:duration saturationDetector.queueDepthThreshold:int |
    schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:int
1.4 1.5 EndpointPickerConfig apiVersion:text data.sources[].extractors[].pluginRef:text |
    data.sources[].pluginRef:text featureGates[]:text flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:int flowControl.defaultPriorityBand.orderingPolicyRef:text |
    flowControl.defaultPriorityBand.priority:int flowControl.defaultRequestTTL:duration flowControl.maxBytes:int |
    flowControl.priorityBands[].fairnessPolicyRef:text flowControl.priorityBands[].maxBytes:int |
    flowControl.priorityBands[].orderingPolicyRef:text flowControl.priorityBands[].priority:int |
    kind:choice:EndpointPickerConfig plugins[].name:text plugins[].parameters:any plugins[].type:text |
    saturationDetector.kvCacheUtilThreshold:float saturationDetector.metricsStalenessThreshold:duration |
    saturationDetector.queueDepthThreshold:int schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:float
1.5 - EndpointPickerConfig apiVersion:text dataLayer.sources[].extractors[].pluginRef:text |
    dataLayer.sources[].pluginRef:text featureGates[]:text flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:any flowControl.defaultPriorityBand.maxRequests:any |
    flowControl.defaultPriorityBand.orderingPolicyRef:text flowControl.defaultPriorityBand.priority:int |
    flowControl.defaultRequestTTL:duration flowControl.maxBytes:any flowControl.maxRequests:any |
    flowControl.priorityBands[].fairnessPolicyRef:text flowControl.priorityBands[].maxBytes:any |
    flowControl.priorityBands[].maxRequests:any flowControl.priorityBands[].orderingPolicyRef:text |
    flowControl.priorityBands[].priority:int flowControl.usageLimitPolicyPluginRef:text |
    kind:choice:EndpointPickerConfig parser.pluginRef:text plugins[].name:text plugins[].parameters:any |
    plugins[].type:text saturationDetector.pluginRef:text schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:float
""",
)
ROUTER_CONFIG = Shapes(
    f"{_ROUTER}, apix/config/v1alpha1",
    ROUTER_VERSIONS,
    """
- 0.4 EndpointPickerConfig apiVersion:text kind:choice:EndpointPickerConfig plugins[].name:text |
    plugins[].parameters:any plugins[].type:text schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:int
0.4 0.5 EndpointPickerConfig apiVersion:text featureGates[]:text kind:choice:EndpointPickerConfig |
    plugins[].name:text plugins[].parameters:any plugins[].type:text saturationDetector.kvCacheUtilThreshold:float |
    saturationDetector.metricsStalenessThreshold:duration saturationDetector.queueDepthThreshold:int |
    schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:int
0.5 0.6 EndpointPickerConfig apiVersion:text data.sources[].extractors[].pluginRef:text |
    data.sources[].pluginRef:text featureGates[]:text kind:choice:EndpointPickerConfig plugins[].name:text |
    plugins[].parameters:any plugins[].type:text saturationDetector.kvCacheUtilThreshold:float |
    saturationDetector.metricsStalenessThreshold:duration saturationDetector.queueDepthThreshold:int |
    schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:int
0.6 0.7 EndpointPickerConfig apiVersion:text data.sources[].extractors[].pluginRef:text |
    data.sources[].pluginRef:text featureGates[]:text flowControl.defaultPriorityBand.maxBytes:int |
    flowControl.defaultPriorityBand.priority:int flowControl.defaultRequestTTL:duration flowControl.maxBytes:int |
    flowControl.priorityBands[].maxBytes:int flowControl.priorityBands[].priority:int |
    kind:choice:EndpointPickerConfig plugins[].name:text plugins[].parameters:any plugins[].type:text |
    saturationDetector.kvCacheUtilThreshold:float saturationDetector.metricsStalenessThreshold:duration |
    saturationDetector.queueDepthThreshold:int schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:float
0.7 0.8 EndpointPickerConfig apiVersion:text data.sources[].extractors[].pluginRef:text |
    data.sources[].pluginRef:text featureGates[]:text flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:int flowControl.defaultPriorityBand.orderingPolicyRef:text |
    flowControl.defaultPriorityBand.priority:int flowControl.defaultRequestTTL:duration flowControl.maxBytes:int |
    flowControl.priorityBands[].fairnessPolicyRef:text flowControl.priorityBands[].maxBytes:int |
    flowControl.priorityBands[].orderingPolicyRef:text flowControl.priorityBands[].priority:int |
    kind:choice:EndpointPickerConfig plugins[].name:text plugins[].parameters:any plugins[].type:text |
    saturationDetector.kvCacheUtilThreshold:float saturationDetector.metricsStalenessThreshold:duration |
    saturationDetector.queueDepthThreshold:int schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:float
0.8 0.9 EndpointPickerConfig apiVersion:text dataLayer.sources[].extractors[].pluginRef:text |
    dataLayer.sources[].pluginRef:text featureGates[]:text flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:any flowControl.defaultPriorityBand.maxRequests:any |
    flowControl.defaultPriorityBand.orderingPolicyRef:text flowControl.defaultPriorityBand.priority:int |
    flowControl.defaultRequestTTL:duration flowControl.maxBytes:any flowControl.maxRequests:any |
    flowControl.priorityBands[].fairnessPolicyRef:text flowControl.priorityBands[].maxBytes:any |
    flowControl.priorityBands[].maxRequests:any flowControl.priorityBands[].orderingPolicyRef:text |
    flowControl.priorityBands[].priority:int flowControl.usageLimitPolicyPluginRef:text |
    kind:choice:EndpointPickerConfig parser.pluginRef:text plugins[].name:text plugins[].parameters:any |
    plugins[].type:text saturationDetector.pluginRef:text schedulingProfiles[].name:text |
    schedulingProfiles[].plugins[].pluginRef:text schedulingProfiles[].plugins[].weight:float
0.9 0.10 EndpointPickerConfig apiVersion:text dataLayer.discovery.pluginRef:text dataLayer.injectDefaults:bool |
    dataLayer.sources[].extractors[].pluginRef:text dataLayer.sources[].pluginRef:text featureGates[]:text |
    flowControl.defaultNegativePriorityBand.fairnessPolicyRef:text |
    flowControl.defaultNegativePriorityBand.maxBytes:any flowControl.defaultNegativePriorityBand.maxRequests:any |
    flowControl.defaultNegativePriorityBand.orderingPolicyRef:text |
    flowControl.defaultNegativePriorityBand.priority:int flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:any flowControl.defaultPriorityBand.maxRequests:any |
    flowControl.defaultPriorityBand.orderingPolicyRef:text flowControl.defaultPriorityBand.priority:int |
    flowControl.defaultRequestTTL:duration flowControl.maxBytes:any flowControl.maxRequests:any |
    flowControl.priorityBands[].fairnessPolicyRef:text flowControl.priorityBands[].maxBytes:any |
    flowControl.priorityBands[].maxRequests:any flowControl.priorityBands[].orderingPolicyRef:text |
    flowControl.priorityBands[].priority:int flowControl.saturationDetector.pluginRef:text |
    flowControl.usageLimitPolicyPluginRef:text kind:choice:EndpointPickerConfig parser.pluginRef:text |
    plugins[].name:text plugins[].parameters:any plugins[].type:text requestHandler.parsers[].pluginRef:text |
    saturationDetector.pluginRef:text schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:float
0.10 - EndpointPickerConfig apiVersion:text dataLayer.crossReplicaSyncInterval:duration |
    dataLayer.crossReplicaSyncerPluginRef:text dataLayer.discovery.pluginRef:text dataLayer.injectDefaults:bool |
    dataLayer.sources[].extractors[].pluginRef:text dataLayer.sources[].pluginRef:text featureGates[]:text |
    flowControl.defaultNegativePriorityBand.fairnessPolicyRef:text |
    flowControl.defaultNegativePriorityBand.maxBytes:any flowControl.defaultNegativePriorityBand.maxRequests:any |
    flowControl.defaultNegativePriorityBand.orderingPolicyRef:text |
    flowControl.defaultNegativePriorityBand.priority:int flowControl.defaultPriorityBand.fairnessPolicyRef:text |
    flowControl.defaultPriorityBand.maxBytes:any flowControl.defaultPriorityBand.maxRequests:any |
    flowControl.defaultPriorityBand.orderingPolicyRef:text flowControl.defaultPriorityBand.priority:int |
    flowControl.defaultRequestTTL:duration flowControl.enableEviction:bool flowControl.maxBytes:any |
    flowControl.maxRequests:any flowControl.priorityBands[].fairnessPolicyRef:text |
    flowControl.priorityBands[].maxBytes:any flowControl.priorityBands[].maxRequests:any |
    flowControl.priorityBands[].orderingPolicyRef:text flowControl.priorityBands[].priority:int |
    flowControl.saturationDetector.pluginRef:text flowControl.usageLimitPolicyPluginRef:text |
    kind:choice:EndpointPickerConfig parser.pluginRef:text plugins[].name:text plugins[].parameters:any |
    plugins[].type:text requestHandler.parsers[].pluginRef:text saturationDetector.pluginRef:text |
    schedulingProfiles[].name:text schedulingProfiles[].plugins[].pluginRef:text |
    schedulingProfiles[].plugins[].weight:float
""",
)
EPP_PLUGINS = Shapes(
    f"{_EPP}, pkg/epp",
    EPP_VERSIONS,
    """
1.5 - approx-prefix-cache-producer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int maxPrefixTokensToMatch:int
1.4 1.5 concurrency-detector *
1.5 - concurrency-detector concurrencyMode:text headroom:float maxConcurrency:int maxTokenConcurrency:int
1.5 - core-metrics-extractor defaultEngine:text engineConfigs[].cacheBlockSizeLabelName:text |
    engineConfigs[].cacheBlockSizeSpec:text engineConfigs[].cacheInfoSpec:text |
    engineConfigs[].cacheNumBlocksLabelName:text engineConfigs[].cacheNumBlocksSpec:text |
    engineConfigs[].kvUsageSpec:text engineConfigs[].loraSpec:text engineConfigs[].name:text |
    engineConfigs[].queuedRequestsSpec:text engineConfigs[].runningRequestsSpec:text engineLabelKey:text
1.2 - destination-endpoint-served-verifier
1.4 - edf-ordering-policy
1.5 - endpoint-notification-source
1.5 - eviction-priority-then-time-ordering
1.5 - eviction-sheddable-filter
1.4 - fcfs-ordering-policy
1.4 - global-strict-fairness-policy
- - header-based-testing-filter
1.5 - inflight-load-producer
1.4 - k8s-notification-source group:text kind:text version:text
- - kv-cache-utilization-scorer
1.5 - latency-scorer compositeKVWeight:float compositePrefixWeight:float compositeQueueWeight:float |
    headroomSelectionStrategy:text tpotWeight:float ttftWeight:float
1.5 - latency-slo-admitter *
- - lora-affinity-scorer
- - max-score-picker maxNumOfEndpoints:int
1.3 - metrics-data-source *
1.3 1.4 model-server-protocol-metrics *
1.4 1.5 model-server-protocol-metrics defaultEngine:text engineConfigs[].cacheInfoSpec:text |
    engineConfigs[].kvUsageSpec:text engineConfigs[].loraSpec:text engineConfigs[].name:text |
    engineConfigs[].queuedRequestsSpec:text engineConfigs[].runningRequestsSpec:text engineLabelKey:text
1.5 - openai-parser
1.5 - passthrough-parser
1.5 - predicted-latency-producer contextTTL:nanoseconds endpointRoleLabel:text |
    maxDecodeTokenSamplesForPrediction:int predictInPrepareData:bool samplingMean:float sloBufferFactor:float |
    streamingMode:bool
1.3 1.4 predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float compositeKVWeight:float |
    compositePrefixWeight:float compositeQueueWeight:float epsilonExploreNeg:float epsilonExploreSticky:float |
    headroomSelectionStrategy:text headroomTPOTWeight:float headroomTTFTWeight:float maxSampledTokens:int |
    negHeadroomTPOTWeight:float negHeadroomTTFTWeight:float samplingMean:float selectionMode:text |
    sloBufferFactor:float streamingMode:bool
1.4 1.5 predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float compositeKVWeight:float |
    compositePrefixWeight:float compositeQueueWeight:float contextTTL:nanoseconds endpointRoleLabel:text |
    epsilonExploreNeg:float epsilonExploreSticky:float headroomSelectionStrategy:text headroomTPOTWeight:float |
    headroomTTFTWeight:float maxSampledTokens:int negHeadroomTPOTWeight:float negHeadroomTTFTWeight:float |
    samplingMean:float selectionMode:text sloBufferFactor:float streamingMode:bool
1.5 - predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float affinityMaxTTFTPenaltyMs:float |
    compositeKVWeight:float compositePrefixWeight:float compositeQueueWeight:float contextTTL:nanoseconds |
    endpointRoleLabel:text epsilonExploreNeg:float epsilonExploreSticky:float headroomSelectionStrategy:text |
    headroomTPOTWeight:float headroomTTFTWeight:float maxSampledTokens:int negHeadroomTPOTWeight:float |
    negHeadroomTTFTWeight:float samplingMean:float selectionMode:text sloBufferFactor:float streamingMode:bool
1.5 - prefix-cache-affinity-filter affinityThreshold:float explorationProbability:float maxTTFTPenaltyMs:float
- 1.1 prefix-cache-scorer hashBlockSize:int lruCapacityPerServer:int maxPrefixBlocksToMatch:int
1.1 1.2 prefix-cache-scorer blockSize:int lruCapacityPerServer:int maxPrefixBlocksToMatch:int
1.2 1.4 prefix-cache-scorer autoTune:bool blockSize:int lruCapacityPerServer:int maxPrefixBlocksToMatch:int
1.4 1.5 prefix-cache-scorer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int
1.5 - prefix-cache-scorer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int maxPrefixTokensToMatch:int
- - queue-scorer
- - random-picker maxNumOfEndpoints:int
1.4 - request-attribute-reporter attributes[].condition:text attributes[].expression:text |
    attributes[].key.name:text attributes[].key.namespace:text
1.4 - round-robin-fairness-policy
1.3 - running-requests-size-scorer
- - single-profile-handler
1.5 - slo-deadline-ordering-policy
1.5 - slo-headroom-tier-filter epsilonExploreNeg:float
1.5 - static-usage-limit-policy threshold:float
1.5 - token-load-scorer queueThresholdTokens:int
1.5 - utilization-detector headroom:float kvCacheUtilThreshold:float metricsStalenessThreshold:duration |
    queueDepthThreshold:int
1.5 - vllmgrpc-parser
- - weighted-random-picker maxNumOfEndpoints:int
""",
)
ROUTER_PLUGINS = Shapes(
    f"{_ROUTER}, pkg",
    ROUTER_VERSIONS,
    """
- 0.7 active-request-scorer requestTimeout:text
0.7 0.9 active-request-scorer idleThreshold:int maxBusyScore:float requestTimeout:text
0.9 - active-request-scorer idleThreshold:int inFlightLoadProducerName:text maxBusyScore:float requestTimeout:text
0.9 - agent-identity additionalSessionHeaders[]:text
0.7 - always-disagg-multimodal-decider
0.6 - always-disagg-pd-decider
0.9 - anthropic-parser
0.8 - approx-prefix-cache-producer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int maxPrefixTokensToMatch:int
0.10 - burst-prefix-cache-producer balanceBy:text blockSizeTokens:int maxBatchSize:int maxPerReplica:int |
    maxPrefixTokensToMatch:int minColocateBlocks:int windowDurationMs:int
- - by-label allowsNoLabel:bool label:text validValues[]:text
- - by-label-selector *
0.6 0.8 concurrency-detector *
0.8 0.9 concurrency-detector concurrencyMode:text headroom:float maxConcurrency:int maxTokenConcurrency:int
0.9 - concurrency-detector concurrencyMode:text headroom:float inFlightLoadProducerName:text maxConcurrency:int |
    maxTokenConcurrency:int
0.7 - context-length-aware enableFiltering:bool label:text
0.8 0.9 core-metrics-extractor defaultEngine:text engineConfigs[].cacheBlockSizeLabelName:text |
    engineConfigs[].cacheBlockSizeSpec:text engineConfigs[].cacheInfoSpec:text |
    engineConfigs[].cacheNumBlocksLabelName:text engineConfigs[].cacheNumBlocksSpec:text |
    engineConfigs[].kvUsageSpec:text engineConfigs[].loraSpec:text engineConfigs[].name:text |
    engineConfigs[].queuedRequestsSpec:text engineConfigs[].runningRequestsSpec:text engineLabelKey:text
0.9 - core-metrics-extractor defaultEngine:text engineConfigs[].cacheBlockSizeLabelName:text |
    engineConfigs[].cacheBlockSizeSpec:text engineConfigs[].cacheInfoSpec:text |
    engineConfigs[].cacheNumBlocksLabelName:text engineConfigs[].cacheNumBlocksSpec:text |
    engineConfigs[].customMetrics[].attributeKey:text engineConfigs[].customMetrics[].metricSpec:text |
    engineConfigs[].kvUsageSpec:text engineConfigs[].loraSpec:text engineConfigs[].name:text |
    engineConfigs[].queuedRequestsSpec:text engineConfigs[].runningRequestsSpec:text engineLabelKey:text
0.4 - data-parallel-profile-handler primaryPort:int
0.10 - dcgm-data-source insecureSkipVerify:bool interval:text path:text port:int scheme:text useNodeAddress:bool
0.10 - dcgm-extractor
- - decode-filter
0.4 - destination-endpoint-served-verifier
0.7 - disagg-headers-handler encodeProfile:text prefillProfile:text
0.7 - disagg-profile-handler deciderPluginName:text deciders.encode:text deciders.prefill:text decodeProfile:text |
    encodeDeciderPluginName:text encodeProfile:text prefillDeciderPluginName:text prefillProfile:text |
    profiles.decode:text profiles.encode:text profiles.prefill:text
0.10 - disaggregatedset-rollout-screener headerSelectors[].headerName:text headerSelectors[].labelKey:text |
    headerSelectors[].mode:text headerSelectors[].name:text revisionGating.mode:text |
    revisionGating.requireRoles.values[]:text revisionGating.revisionLabelKey:text |
    revisionGating.roleLabelKey:text scope.labelSelector:text
0.6 0.7 edf-ordering-policy *
0.7 - edf-ordering-policy
0.7 - encode-filter
0.10 - endpoint-attribute-filter algorithm.threshold.operator:text algorithm.threshold.value:float |
    algorithm.type:text attribute:text fallbackOnEmpty:bool onMissing:text
0.10 - endpoint-attribute-scorer algorithm.normalization.adaptiveRange:any |
    algorithm.normalization.fixedRange.max:float algorithm.normalization.fixedRange.min:float algorithm.type:text |
    attributeKey:text
0.8 - endpoint-notification-source
0.8 0.9 eviction-priority-then-time-ordering
0.8 0.9 eviction-sheddable-filter
0.6 0.7 fcfs-ordering-policy *
0.7 - fcfs-ordering-policy
0.9 - file-discovery path:text watchFile:bool
0.6 - global-strict-fairness-policy
- - header-based-testing-filter
0.10 - header-label-affinity-scorer headerName:text labelKey:text
0.10 - header-profile-handler defaultProfile:text headerName:text
0.8 0.9 inflight-load-producer
0.9 0.10 inflight-load-producer addEstimatedOutputTokens:bool prefixMatchInfoProducerName:text
0.10 - inflight-load-producer addEstimatedOutputTokens:bool maxEstimatedOutputTokens:int outputRatio:float |
    prefixMatchInfoProducerName:text syncCrossReplicaState:bool
0.7 - k8s-notification-source group:text kind:text version:text
- - kv-cache-utilization-scorer
0.9 - label-selector-filter *
0.8 0.9 latency-scorer compositeKVWeight:float compositePrefixWeight:float compositeQueueWeight:float |
    headroomSelectionStrategy:text tpotWeight:float ttftWeight:float
0.9 - latency-scorer compositeKVWeight:float compositePrefixWeight:float compositeQueueWeight:float |
    headroomSelectionStrategy:text latencyPredictionInfoProducerName:text prefixMatchInfoProducerName:text |
    tpotWeight:float ttftWeight:float
0.8 0.9 latency-slo-admitter *
0.9 - latency-slo-admitter latencyPredictionInfoProducerName:text
- - load-aware-scorer threshold:int
- - lora-affinity-scorer
- - max-score-picker maxNumOfEndpoints:int
0.5 0.10 metrics-data-source *
0.10 - metrics-data-source caCertPath:text clientCertPath:text clientKeyPath:text insecureSkipVerify:bool |
    interval:text path:text port:int scheme:text
0.9 - mm-embeddings-cache-producer cacheSizeInMBPerServer:int
0.9 - mm-embeddings-cache-scorer producerName:text
0.5 0.7 model-server-protocol-metrics *
0.7 0.8 model-server-protocol-metrics defaultEngine:text engineConfigs[].cacheInfoSpec:text |
    engineConfigs[].kvUsageSpec:text engineConfigs[].loraSpec:text engineConfigs[].name:text |
    engineConfigs[].queuedRequestsSpec:text engineConfigs[].runningRequestsSpec:text engineLabelKey:text
0.6 0.9 model-server-protocol-models
0.9 - models-data-extractor
0.6 0.10 models-data-source insecureSkipVerify:bool path:text scheme:text
0.10 - models-data-source caCertPath:text clientCertPath:text clientKeyPath:text insecureSkipVerify:bool |
    interval:text path:text scheme:text
0.10 - multicluster-approx-prefix-cache-producer autoTune:bool blockSize:int blockSizeTokens:int |
    lruCapacityPerServer:int maxPrefixBlocksToMatch:int maxPrefixTokensToMatch:int
0.10 - multicluster-file-discovery path:text watchFile:bool
0.10 - multicluster-kv-cache-utilization-scorer
0.10 - multicluster-metrics-data-source caCertPath:text clientCertPath:text clientKeyPath:text |
    insecureSkipVerify:bool interval:text path:text port:int scheme:text
0.10 - multicluster-metrics-extractor kvCacheUtilizationMetric:text queueSizeMetric:text
0.10 - multicluster-prefix-cache-scorer matchLengthScaleTokens:int matchLengthWeight:float |
    prefixMatchInfoProducerName:text
0.10 - multicluster-queue-scorer
0.10 - multicluster-session-affinity-filter encodedEndpointHeaderConfig.header:text profileName:text |
    sessionIdConfig.evictionSweepSeconds:float sessionIdConfig.evictionTtlSeconds:float |
    sessionIdConfig.sources[].attribute:text sessionIdConfig.sources[].header:text strategy:text
0.4 0.5 no-hit-lru-scorer lruSize:int prefixPluginName:text
0.5 0.9 no-hit-lru-scorer lruSize:int prefixPluginName:text prefixPluginType:text
0.9 - no-hit-lru-scorer lruSize:int prefixMatchInfoProducerName:text prefixPluginName:text prefixPluginType:text
0.8 - openai-parser
0.10 - p2p-source-producer minCachedTokenDelta:int prefillProfileName:text prefixMatchInfoProducerName:text
0.8 - passthrough-parser
- 0.4 pd-profile-handler decodeProfile:text hashBlockSize:int prefillProfile:text prefixPluginName:text |
    threshold:int
0.4 0.5 pd-profile-handler decodeProfile:text hashBlockSize:int prefillProfile:text prefixPluginName:text |
    primaryPort:int threshold:int
0.5 0.6 pd-profile-handler decodeProfile:text hashBlockSize:int prefillProfile:text prefixPluginName:text |
    prefixPluginType:text primaryPort:int threshold:int
0.6 0.9 pd-profile-handler deciderPluginName:text decodeProfile:text prefillProfile:text prefixPluginName:text |
    prefixPluginType:text primaryPort:int
0.9 - pd-profile-handler deciderPluginName:text decodeProfile:text prefillProfile:text |
    prefixMatchInfoProducerName:text prefixPluginName:text prefixPluginType:text primaryPort:int
0.9 0.10 precise-prefix-cache-producer indexerConfig:any kvEventsConfig:any speculativeIndexing:bool |
    speculativeTTL:text tokenProcessorConfig:any
0.10 - precise-prefix-cache-producer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.tokenizersPoolConfig:any |
    kvEventsConfig.concurrency:int kvEventsConfig.discoverPods:bool kvEventsConfig.engineType:text |
    kvEventsConfig.podDiscoveryConfig.podLabelSelector:text kvEventsConfig.podDiscoveryConfig.podNamespace:text |
    kvEventsConfig.podDiscoveryConfig.replaySocketPort:int kvEventsConfig.podDiscoveryConfig.socketPort:int |
    kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text speculativeIndexing:bool speculativeTTL:text |
    tokenProcessorConfig.blockSize:int tokenProcessorConfig.blockSizeTokens:int tokenProcessorConfig.hashSeed:text
- 0.4 precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text indexerConfig.prefixStoreConfig.blockSize:int |
    indexerConfig.prefixStoreConfig.cacheSize:int indexerConfig.tokenProcessorConfig.blockSize:int |
    indexerConfig.tokenProcessorConfig.hashSeed:text indexerConfig.tokenizersPoolConfig.huggingFaceToken:text |
    indexerConfig.tokenizersPoolConfig.minPrefixOverlapRatio:float |
    indexerConfig.tokenizersPoolConfig.tokenizersCacheDir:text indexerConfig.tokenizersPoolConfig.workersCount:int |
    kvEventsConfig.concurrency:int kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text
0.4 0.5 precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.enableRDMA:bool |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.address:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.enableRDMA:bool indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.prefixStoreConfig.blockSize:int |
    indexerConfig.prefixStoreConfig.cacheSize:int indexerConfig.tokenProcessorConfig.blockSize:int |
    indexerConfig.tokenProcessorConfig.hashSeed:text indexerConfig.tokenizersPoolConfig.hf.enabled:bool |
    indexerConfig.tokenizersPoolConfig.hf.huggingFaceToken:text |
    indexerConfig.tokenizersPoolConfig.hf.tokenizersCacheDir:text |
    indexerConfig.tokenizersPoolConfig.local.autoDiscoveryDir:text |
    indexerConfig.tokenizersPoolConfig.local.autoDiscoveryTokenizerFileName:text |
    indexerConfig.tokenizersPoolConfig.local.modelTokenizerMap:map |
    indexerConfig.tokenizersPoolConfig.minPrefixOverlapRatio:float |
    indexerConfig.tokenizersPoolConfig.uds.socketFile:text indexerConfig.tokenizersPoolConfig.workersCount:int |
    kvEventsConfig.concurrency:int kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text
0.5 0.6 precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.enableRDMA:bool |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.address:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.enableRDMA:bool indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.prefixStoreConfig.blockSize:int |
    indexerConfig.prefixStoreConfig.cacheSize:int indexerConfig.tokenizersPoolConfig.hf.enabled:bool |
    indexerConfig.tokenizersPoolConfig.hf.huggingFaceToken:text |
    indexerConfig.tokenizersPoolConfig.hf.tokenizersCacheDir:text |
    indexerConfig.tokenizersPoolConfig.local.autoDiscoveryDir:text |
    indexerConfig.tokenizersPoolConfig.local.autoDiscoveryTokenizerFileName:text |
    indexerConfig.tokenizersPoolConfig.local.modelTokenizerMap:map |
    indexerConfig.tokenizersPoolConfig.minPrefixOverlapRatio:float |
    indexerConfig.tokenizersPoolConfig.modelName:text indexerConfig.tokenizersPoolConfig.uds.socketFile:text |
    indexerConfig.tokenizersPoolConfig.workersCount:int kvEventsConfig.concurrency:int |
    kvEventsConfig.discoverPods:bool kvEventsConfig.podDiscoveryConfig.podLabelSelector:text |
    kvEventsConfig.podDiscoveryConfig.podNamespace:text kvEventsConfig.podDiscoveryConfig.socketPort:int |
    kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text tokenProcessorConfig.blockSize:int |
    tokenProcessorConfig.hashSeed:text
0.6 0.7 precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.enableRDMA:bool |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.address:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.enableRDMA:bool indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.tokenizersPoolConfig.modelName:text |
    indexerConfig.tokenizersPoolConfig.uds.modelTokenizerMap:map |
    indexerConfig.tokenizersPoolConfig.uds.socketFile:text indexerConfig.tokenizersPoolConfig.uds.useTCP:bool |
    indexerConfig.tokenizersPoolConfig.workersCount:int kvEventsConfig.concurrency:int |
    kvEventsConfig.discoverPods:bool kvEventsConfig.podDiscoveryConfig.podLabelSelector:text |
    kvEventsConfig.podDiscoveryConfig.podNamespace:text kvEventsConfig.podDiscoveryConfig.socketPort:int |
    kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text tokenProcessorConfig.blockSize:int |
    tokenProcessorConfig.hashSeed:text
0.7 0.9 precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.redisConfig.enableRDMA:bool |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.address:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.backendType:text |
    indexerConfig.kvBlockIndexConfig.valkeyConfig.enableRDMA:bool indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.tokenizersPoolConfig.modelName:text |
    indexerConfig.tokenizersPoolConfig.uds.modelTokenizerMap:map |
    indexerConfig.tokenizersPoolConfig.uds.socketFile:text indexerConfig.tokenizersPoolConfig.uds.useTCP:bool |
    indexerConfig.tokenizersPoolConfig.workersCount:int kvEventsConfig.concurrency:int |
    kvEventsConfig.discoverPods:bool kvEventsConfig.engineType:text |
    kvEventsConfig.podDiscoveryConfig.podLabelSelector:text kvEventsConfig.podDiscoveryConfig.podNamespace:text |
    kvEventsConfig.podDiscoveryConfig.socketPort:int kvEventsConfig.topicFilter:text |
    kvEventsConfig.zmqEndpoint:text speculativeIndexing:bool speculativeTTL:text |
    tokenProcessorConfig.blockSize:int tokenProcessorConfig.hashSeed:text
0.9 0.10 precise-prefix-cache-scorer indexerConfig:any kvEventsConfig:any speculativeIndexing:bool |
    speculativeTTL:text tokenProcessorConfig:any
0.10 - precise-prefix-cache-scorer indexerConfig.KVBlockScorerConfig.ScoringStrategy:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].name:text |
    indexerConfig.KVBlockScorerConfig.backendConfigs[].weight:float |
    indexerConfig.kvBlockIndexConfig.costAwareMemoryConfig.size:text |
    indexerConfig.kvBlockIndexConfig.enableMetrics:bool |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.podCacheSize:int |
    indexerConfig.kvBlockIndexConfig.inMemoryConfig.size:int |
    indexerConfig.kvBlockIndexConfig.metricsLoggingInterval:nanoseconds |
    indexerConfig.kvBlockIndexConfig.redisConfig.address:text indexerConfig.kvCacheBackendConfigs[].name:text |
    indexerConfig.kvCacheBackendConfigs[].weight:float indexerConfig.tokenizersPoolConfig:any |
    kvEventsConfig.concurrency:int kvEventsConfig.discoverPods:bool kvEventsConfig.engineType:text |
    kvEventsConfig.podDiscoveryConfig.podLabelSelector:text kvEventsConfig.podDiscoveryConfig.podNamespace:text |
    kvEventsConfig.podDiscoveryConfig.replaySocketPort:int kvEventsConfig.podDiscoveryConfig.socketPort:int |
    kvEventsConfig.topicFilter:text kvEventsConfig.zmqEndpoint:text speculativeIndexing:bool speculativeTTL:text |
    tokenProcessorConfig.blockSize:int tokenProcessorConfig.blockSizeTokens:int tokenProcessorConfig.hashSeed:text
0.8 0.9 predicted-latency-producer contextTTL:nanoseconds endpointRoleLabel:text |
    maxDecodeTokenSamplesForPrediction:int predictInPrepareData:bool samplingMean:float sloBufferFactor:float |
    streamingMode:bool
0.9 0.10 predicted-latency-producer contextTTL:nanoseconds endpointRoleLabel:text |
    maxDecodeTokenSamplesForPrediction:int predictInProduce:bool prefixMatchInfoProducerName:text |
    samplingMean:float sloBufferFactor:float streamingMode:bool
0.10 - predicted-latency-producer contextTTL:nanoseconds encoderCacheMatchInfoProducerName:text |
    endpointRoleLabel:text inFlightLoadProducerName:text maxDecodeTokenSamplesForPrediction:int |
    predictInProduce:bool prefixMatchInfoProducerName:text samplingMean:float sloBufferFactor:float |
    streamingMode:bool useEncoderCacheFeatures:bool
0.5 0.7 predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float compositeKVWeight:float |
    compositePrefixWeight:float compositeQueueWeight:float epsilonExploreNeg:float epsilonExploreSticky:float |
    headroomSelectionStrategy:text headroomTPOTWeight:float headroomTTFTWeight:float maxSampledTokens:int |
    negHeadroomTPOTWeight:float negHeadroomTTFTWeight:float samplingMean:float selectionMode:text |
    sloBufferFactor:float streamingMode:bool
0.7 0.8 predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float compositeKVWeight:float |
    compositePrefixWeight:float compositeQueueWeight:float contextTTL:nanoseconds endpointRoleLabel:text |
    epsilonExploreNeg:float epsilonExploreSticky:float headroomSelectionStrategy:text headroomTPOTWeight:float |
    headroomTTFTWeight:float maxSampledTokens:int negHeadroomTPOTWeight:float negHeadroomTTFTWeight:float |
    samplingMean:float selectionMode:text sloBufferFactor:float streamingMode:bool
0.8 0.9 predicted-latency-scorer affinityGateTau:float affinityGateTauGlobal:float affinityMaxTTFTPenaltyMs:float |
    compositeKVWeight:float compositePrefixWeight:float compositeQueueWeight:float contextTTL:nanoseconds |
    endpointRoleLabel:text epsilonExploreNeg:float epsilonExploreSticky:float headroomSelectionStrategy:text |
    headroomTPOTWeight:float headroomTTFTWeight:float maxSampledTokens:int negHeadroomTPOTWeight:float |
    negHeadroomTTFTWeight:float samplingMean:float selectionMode:text sloBufferFactor:float streamingMode:bool
- - prefill-filter
- 0.7 prefill-header-handler prefillProfile:text
0.7 - prefill-header-handler encodeProfile:text prefillProfile:text
0.6 0.10 prefix-based-pd-decider nonCachedTokens:int
0.10 - prefix-based-pd-decider nonCachedTokens:int promptTokens:int
0.8 0.9 prefix-cache-affinity-filter affinityThreshold:float explorationProbability:float maxTTFTPenaltyMs:float
0.9 - prefix-cache-affinity-filter affinityThreshold:float explorationProbability:float |
    inFlightLoadProducerName:text latencyPredictionInfoProducerName:text maxTTFTPenaltyMs:float |
    peakPrefillThroughput:float prefixMatchInfoProducerName:text ttftSource:text
- 0.4 prefix-cache-scorer hashBlockSize:int lruCapacityPerServer:int maxPrefixBlocksToMatch:int
0.4 0.6 prefix-cache-scorer autoTune:bool blockSize:int lruCapacityPerServer:int maxPrefixBlocksToMatch:int
0.6 0.8 prefix-cache-scorer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int
0.8 0.9 prefix-cache-scorer autoTune:bool blockSize:int blockSizeTokens:int lruCapacityPerServer:int |
    maxPrefixBlocksToMatch:int maxPrefixTokensToMatch:int
0.9 0.10 prefix-cache-scorer prefixMatchInfoProducerName:text
0.10 - prefix-cache-scorer matchLengthScaleTokens:int matchLengthWeight:float prefixMatchInfoProducerName:text
0.10 - priority-holdback-policy domain:text maxCeiling:float minCeiling:float shape:text
0.9 - priority-then-time-eviction-order-policy
0.9 - probabilistic-admitter k:float kvCacheUtilThreshold:float power:float queueDepthThreshold:int
0.9 - program-aware-fairness evictionSweepSeconds:float evictionTtlSeconds:float lasDecayFactor:float |
    lasHalfLifeSeconds:float lasWeightHeadWait:float lasWeightService:float strategy:text
- - queue-scorer
- - random-picker maxNumOfEndpoints:int
0.7 - request-attribute-reporter attributes[].condition:text attributes[].expression:text |
    attributes[].key.name:text attributes[].key.namespace:text
0.6 - round-robin-fairness-policy
0.5 - running-requests-size-scorer
0.9 0.10 session-affinity-filter headerName:text profileName:text
0.10 - session-affinity-filter encodedEndpointHeaderConfig.header:text profileName:text |
    sessionIdConfig.evictionSweepSeconds:float sessionIdConfig.evictionTtlSeconds:float |
    sessionIdConfig.sources[].attribute:text sessionIdConfig.sources[].header:text strategy:text
- 0.9 session-affinity-scorer
0.9 0.10 session-affinity-scorer headerName:text profileName:text
0.10 - session-affinity-scorer encodedEndpointHeaderConfig.header:text profileName:text |
    sessionIdConfig.evictionSweepSeconds:float sessionIdConfig.evictionTtlSeconds:float |
    sessionIdConfig.sources[].attribute:text sessionIdConfig.sources[].header:text strategy:text
0.9 - session-id-producer cookieName:text headerName:text
0.9 - sheddable-eviction-filter
- - single-profile-handler
0.8 - slo-deadline-ordering-policy
0.8 0.9 slo-headroom-tier-filter epsilonExploreNeg:float
0.9 - slo-headroom-tier-filter epsilonExploreNeg:float latencyPredictionInfoProducerName:text
0.10 - soft-reflective-ceiling-policy *
0.8 - static-usage-limit-policy threshold:float
0.8 0.9 token-load-scorer queueThresholdTokens:int
0.9 - token-load-scorer inFlightLoadProducerName:text queueThresholdTokens:int
0.9 0.10 token-producer estimate.image.defaultResolution.height:int estimate.image.defaultResolution.width:int |
    estimate.image.dynamic.factor:int estimate.image.mode:text estimate.image.static.staticToken:int |
    modelName:text udsTokenizerConfig:any vllm.mmTimeout:text vllm.timeout:text vllm.url:text
0.10 - token-producer estimate.image.defaultResolution.height:int estimate.image.defaultResolution.width:int |
    estimate.image.dynamic.factor:int estimate.image.mode:text estimate.image.static.staticToken:int |
    estimate.video.defaultDuration:float estimate.video.defaultResolution.height:int |
    estimate.video.defaultResolution.width:int estimate.video.frames.maxFrames:int |
    estimate.video.frames.minFrames:int estimate.video.frames.mode:text |
    estimate.video.frames.sampled.sampleFPS:float estimate.video.frames.sampled.temporalPatchSize:int |
    estimate.video.frames.strided.defaultSourceFPS:float estimate.video.frames.strided.frameStride:int |
    estimate.video.maxVideoTokens:int estimate.video.tokensPerFrame.dynamic.factor:int |
    estimate.video.tokensPerFrame.mode:text estimate.video.tokensPerFrame.static.numTokensPerFrame:int |
    modelName:text udsTokenizerConfig:any vllm.mmTimeout:text vllm.timeout:text vllm.url:text
0.7 0.9 tokenizer modelName:text udsTokenizerConfig.modelTokenizerMap:map udsTokenizerConfig.socketFile:text |
    udsTokenizerConfig.useTCP:bool
0.9 0.10 tokenizer estimate.image.defaultResolution.height:int estimate.image.defaultResolution.width:int |
    estimate.image.dynamic.factor:int estimate.image.mode:text estimate.image.static.staticToken:int |
    modelName:text udsTokenizerConfig:any vllm.mmTimeout:text vllm.timeout:text vllm.url:text
0.10 - tokenizer estimate.image.defaultResolution.height:int estimate.image.defaultResolution.width:int |
    estimate.image.dynamic.factor:int estimate.image.mode:text estimate.image.static.staticToken:int |
    estimate.video.defaultDuration:float estimate.video.defaultResolution.height:int |
    estimate.video.defaultResolution.width:int estimate.video.frames.maxFrames:int |
    estimate.video.frames.minFrames:int estimate.video.frames.mode:text |
    estimate.video.frames.sampled.sampleFPS:float estimate.video.frames.sampled.temporalPatchSize:int |
    estimate.video.frames.strided.defaultSourceFPS:float estimate.video.frames.strided.frameStride:int |
    estimate.video.maxVideoTokens:int estimate.video.tokensPerFrame.dynamic.factor:int |
    estimate.video.tokensPerFrame.mode:text estimate.video.tokensPerFrame.static.numTokensPerFrame:int |
    modelName:text udsTokenizerConfig:any vllm.mmTimeout:text vllm.timeout:text vllm.url:text
0.10 - topology-affinity-filter minAffinity:text topologyProducerName:text
0.10 - topology-affinity-scorer topologyProducerName:text
0.10 - topology-extractor hostname:text rack:text region:text zone:text
0.8 - utilization-detector headroom:float kvCacheUtilThreshold:float metricsStalenessThreshold:duration |
    queueDepthThreshold:int
0.10 - utilization-filter conditions[].maxValue:float conditions[].metric:text fallbackOnEmpty:bool |
    inFlightLoadProducerName:text
0.9 - vertexai-parser
0.8 - vllmgrpc-parser
0.9 - vllmhttp-parser
- - weighted-random-picker maxNumOfEndpoints:int
""",
)
ROUTER_EXPERIMENTAL = Table(
    "the endpoint picker",
    f"{_ROUTER}, cmd/epp/runner",
    ROUTER_VERSIONS,
    """
0.10 - any agent-identity burst-prefix-cache-producer dcgm-data-source dcgm-extractor
0.10 - any disaggregatedset-rollout-screener endpoint-attribute-filter endpoint-attribute-scorer
0.10 - any header-label-affinity-scorer header-profile-handler multicluster-approx-prefix-cache-producer
0.10 - any multicluster-file-discovery multicluster-kv-cache-utilization-scorer multicluster-metrics-data-source
0.10 - any multicluster-metrics-extractor multicluster-prefix-cache-scorer multicluster-queue-scorer
0.10 - any multicluster-session-affinity-filter p2p-source-producer priority-holdback-policy
0.10 - any priority-then-time-eviction-order-policy session-affinity-filter session-affinity-scorer
0.10 - any sheddable-eviction-filter soft-reflective-ceiling-policy topology-affinity-filter
0.10 - any topology-affinity-scorer topology-extractor utilization-filter
""",
)
