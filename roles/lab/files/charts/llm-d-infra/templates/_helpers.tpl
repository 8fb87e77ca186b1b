{{- define "infra.gatewayName" -}}
{{- $name := printf "%s-%s" .Release.Name (.Values.gateway.nameOverride | default "inference-gateway") -}}
{{- .Values.gateway.fullnameOverride | default $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The Service that the implementation makes: istio appends its class name. */}}
{{- define "infra.gatewayService" -}}
{{- include "infra.gatewayName" . }}{{ eq .Values.gateway.gatewayClassName "istio" | ternary "-istio" "" }}
{{- end -}}

{{/* A mapping, list or text whose strings may be templates. Takes (list value context). */}}
{{- define "infra.render" -}}
{{- $value := index . 0 -}}
{{- $text := kindIs "string" $value | ternary $value ($value | toYaml) -}}
{{- tpl $text (index . 1) -}}
{{- end -}}

{{/* Takes (list context component). */}}
{{- define "infra.labels" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ $.Values.nameOverride | default $.Chart.Name | trunc 63 | trimSuffix "-" }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/gateway: {{ include "infra.gatewayName" $ }}
app.kubernetes.io/component: {{ index . 1 }}
{{- with $.Values.commonLabels }}
{{ include "infra.render" (list . $) }}
{{- end }}
{{- end -}}

{{/* The whole annotations field, or nothing. Takes (list context further-annotations). */}}
{{- define "infra.annotations" -}}
{{- $ := index . 0 -}}
{{- with merge (deepCopy (index . 1)) $.Values.commonAnnotations -}}
annotations:
  {{- include "infra.render" (list . $) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* "istio" or "kgateway" where the chart makes a parameters object for the class, else nothing. */}}
{{- define "infra.parameters" -}}
{{- $class := .Values.gateway.gatewayClassName -}}
{{- if and .Values.gateway.enabled .Values.gateway.gatewayParameters.enabled (has $class (list "istio" "kgateway")) -}}
{{- $class -}}
{{- end -}}
{{- end -}}
