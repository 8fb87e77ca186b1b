{{/* The release's name cut to 40 characters, which leaves room for the suffixes. */}}
{{- define "router.base" -}}
{{- .Release.Name | lower | trim | trunc 40 -}}
{{- end -}}

{{- define "router.epp" -}}
{{- include "router.base" . }}-epp
{{- end -}}

{{/* Cluster-wide objects carry the namespace as well. */}}
{{- define "router.clusterName" -}}
{{- printf "%s-%s-epp" (include "router.base" .) (.Release.Namespace | lower | trim | trunc 40) -}}
{{- end -}}

{{- define "router.labels" -}}
app.kubernetes.io/name: {{ include "router.epp" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "router.mode" -}}
{{- ternary "llm-d-router-standalone" "llm-d-router-gateway" (eq .Values.router.inferencePool.create false) -}}
{{- end -}}

{{- define "router.selector" -}}
{{ include "router.mode" . }}: {{ include "router.epp" . }}
{{- end -}}

{{- define "router.proxySelector" -}}
llm-d-router-proxy: {{ include "router.base" . }}-proxy
{{- end -}}

{{/* Name, namespace and labels of an object. Takes (list context name). */}}
{{- define "router.metadata" -}}
name: {{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "router.labels" (index . 0) | nindent 2 }}
{{- end -}}

{{- define "router.proxyType" -}}
{{- .Values.router.proxy.proxyType | default "envoy" | lower -}}
{{- end -}}

{{/* The proxy: the preset of its type, and what the values say besides. */}}
{{- define "router.proxy" -}}
{{- $preset := deepCopy (index .Values.router.proxy.presets (include "router.proxyType" .)) -}}
{{- toYaml (mergeOverwrite $preset (omit (deepCopy .Values.router.proxy) "presets" "proxyType")) -}}
{{- end -}}

{{- define "router.ownProxy" -}}
{{- if and .Values.router.proxy.enabled (eq (lower .Values.router.proxy.mode) "service") }}yes{{ end -}}
{{- end -}}

{{/* Where the proxy asks the picker. */}}
{{- define "router.pickerHost" -}}
{{- if include "router.ownProxy" . -}}
{{ include "router.epp" . }}.{{ .Release.Namespace }}.svc.{{ .Values.router.clusterDomain }}
{{- else -}}
127.0.0.1
{{- end -}}
{{- end -}}

{{- define "router.targetPorts" -}}
{{- $ports := list -}}
{{- range .Values.router.modelServers.targetPorts }}{{ $ports = append $ports (toString .number) }}{{ end -}}
{{- join "," $ports -}}
{{- end -}}

{{/* Fails early with what the chart needs or does not do. */}}
{{- define "router.check" -}}
{{- $router := .Values.router -}}
{{- if and (ne $router.inferencePool.create false) (not ($router.modelServers | default dict).matchLabels) -}}
{{- fail ".Values.router.modelServers.matchLabels is required" -}}
{{- end -}}
{{- if and (eq $router.inferencePool.create false) $router.inferenceObjectives -}}
{{- fail ".Values.router.inferenceObjectives needs .Values.router.inferencePool.create: true" -}}
{{- end -}}
{{- if not (has (lower $router.proxy.mode) (list "sidecar" "service")) -}}
{{- fail (printf ".Values.router.proxy.mode must be sidecar or service, got %q" $router.proxy.mode) -}}
{{- end -}}
{{- if not (has (include "router.proxyType" .) (list "envoy" "agentgateway")) -}}
{{- fail (printf ".Values.router.proxy.proxyType must be envoy or agentgateway, got %q" $router.proxy.proxyType) -}}
{{- end -}}
{{- if eq (include "router.proxyType" .) "agentgateway" -}}
{{- if ne $router.inferencePool.create false -}}
{{- fail ".Values.router.inferencePool.create=false is required when proxyType=agentgateway" -}}
{{- end -}}
{{- if include "router.ownProxy" . -}}
{{- fail ".Values.router.proxy.mode=service supports only proxyType=envoy" -}}
{{- end -}}
{{- end -}}
{{- range $name := list "tokenizer" "latencyPredictor" -}}
{{- if (index $router $name).enabled -}}
{{- fail (printf "router.%s is not part of the lab's llm-d-router-standalone chart; use the published chart" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
