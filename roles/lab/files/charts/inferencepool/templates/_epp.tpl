{{/* Arguments of the EPP, as a YAML list. */}}
{{- define "pool.eppArgs" -}}
{{- $epp := .Values.inferenceExtension -}}
- --pool-name
- {{ .Release.Name }}
- --pool-namespace
- {{ .Release.Namespace }}
- --pool-group
- {{ include "pool.group" . | quote }}
- --zap-encoder
- json
- --config-file
- {{ print "/config/" $epp.pluginsConfigFile | quote }}
{{- if eq (.Values.inferencePool.modelServerType | default "vllm") "triton-tensorrt-llm" }}
- --total-queued-requests-metric
- nv_trt_llm_request_metrics{request_type=waiting}
- --kv-cache-usage-percentage-metric
- nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=fraction}
- --lora-info-metric
- ""
{{- end }}
{{- if gt (int $epp.replicas) 1 }}
- --ha-enable-leader-election
{{- end }}
{{- range $name, $value := $epp.flags }}
- --{{ $name }}
- {{ toString $value | quote }}
{{- end }}
- --tracing={{ $epp.tracing.enabled }}
{{- if not $epp.monitoring.prometheus.auth.enabled }}
- --metrics-endpoint-auth=false
{{- end }}
{{- end -}}

{{- define "pool.fieldEnv" -}}
- name: {{ index . 0 }}
  valueFrom: {fieldRef: {fieldPath: {{ index . 1 }}}}
{{- end -}}

{{- define "pool.eppEnv" -}}
{{- $epp := .Values.inferenceExtension -}}
{{ include "pool.fieldEnv" (list "NAMESPACE" "metadata.namespace") }}
{{ include "pool.fieldEnv" (list "POD_NAME" "metadata.name") }}
{{- if $epp.tracing.enabled }}
{{ include "pool.fieldEnv" (list "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME" "spec.nodeName") }}
{{ include "pool.fieldEnv" (list "OTEL_RESOURCE_ATTRIBUTES_POD_NAME" "metadata.name") }}
- {name: OTEL_SERVICE_NAME, value: gateway-api-inference-extension}
- {name: OTEL_TRACES_EXPORTER, value: otlp}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ quote $epp.tracing.otelExporterEndpoint }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: >-
    k8s.namespace.name=$(NAMESPACE),k8s.node.name=$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)
- name: OTEL_TRACES_SAMPLER
  value: {{ quote $epp.tracing.sampling.sampler }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ quote $epp.tracing.sampling.samplerArg }}
{{- end }}
{{- with $epp.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The user's second container, which stands before the EPP. */}}
{{- define "pool.sidecar" -}}
{{- with .Values.inferenceExtension.sidecar -}}
- name: {{ .name }}
  image: {{ .image }}
  imagePullPolicy: {{ .imagePullPolicy | default "IfNotPresent" }}
  {{- with .command }}
  command: [{{ quote . }}]
  {{- end }}
  {{- with .args }}
  args:
    {{- range . }}
    - {{ tpl . $ | quote }}
    {{- end }}
  {{- end }}
  {{- range $key := list "env" "ports" "livenessProbe" "readinessProbe" "resources" "volumeMounts" }}
  {{- with index $.Values.inferenceExtension.sidecar $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
