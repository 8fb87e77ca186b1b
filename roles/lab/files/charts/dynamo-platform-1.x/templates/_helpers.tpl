{{- /* fullname: <release>-dynamo-operator, or the release alone where its name has that in it. */}}
{{- define "dynamo-platform.operator" -}}
{{- $name := default "dynamo-operator" (index .Values "dynamo-operator").nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full (index .Values "dynamo-operator").fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "dynamo-platform.operatorSelector" -}}
app.kubernetes.io/name: {{ default "dynamo-operator" (index .Values "dynamo-operator").nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dynamo-platform.operatorLabels" -}}
helm.sh/chart: dynamo-operator-{{ .Chart.Version }}
{{ include "dynamo-platform.operatorSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* The namespace that the operator restricts itself to, empty for all. */}}
{{- define "dynamo-platform.restrictedNamespace" -}}
{{- $restriction := (index .Values "dynamo-operator").namespaceRestriction -}}
{{- if $restriction.enabled }}{{ default .Release.Namespace $restriction.targetNamespace }}{{ end -}}
{{- end }}

{{- define "dynamo-platform.etcdSelector" -}}
app.kubernetes.io/name: etcd
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: etcd
{{- end }}

{{- define "dynamo-platform.natsSelector" -}}
app.kubernetes.io/name: nats
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: nats
{{- end }}
