{{/* The release's name cut to 40 characters, which leaves room for the suffixes. */}}
{{- define "pool.base" -}}
{{- .Release.Name | lower | trim | trunc 40 -}}
{{- end -}}

{{- define "pool.epp" -}}
{{- include "pool.base" . }}-epp
{{- end -}}

{{/* Cluster-wide objects carry the namespace as well. */}}
{{- define "pool.clusterName" -}}
{{- printf "%s-%s-epp" (include "pool.base" .) (.Release.Namespace | lower | trim | trunc 40) -}}
{{- end -}}

{{- define "pool.labels" -}}
app.kubernetes.io/name: {{ include "pool.epp" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "pool.selector" -}}
inferencepool: {{ include "pool.epp" . }}
{{- end -}}

{{/* The fields name to labels of an object's metadata. Takes (list context name). */}}
{{- define "pool.metadata" -}}
name: {{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "pool.labels" (index . 0) | nindent 2 }}
{{- end -}}

{{- define "pool.group" -}}
{{- splitList "/" .Values.inferencePool.apiVersion | first -}}
{{- end -}}

{{- define "pool.isGke" -}}
{{- if eq (lower .Values.provider.name) "gke" }}yes{{ end -}}
{{- end -}}

{{/* Fails early with what the chart needs or does not do. */}}
{{- define "pool.check" -}}
{{- if not (.Values.inferencePool.modelServers | default dict).matchLabels -}}
{{- fail "inferencePool.modelServers.matchLabels is required" -}}
{{- end -}}
{{- if .Values.inferenceExtension.latencyPredictor.enabled -}}
{{- fail "inferenceExtension.latencyPredictor is not part of the lab's inferencepool chart; use the published chart" -}}
{{- end -}}
{{- end -}}
