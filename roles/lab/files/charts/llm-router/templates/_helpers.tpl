{{- define "router.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "router.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $made := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $made | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Takes (list context component); the component may be "". */}}
{{- define "router.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "router.name" $ }}
app.kubernetes.io/instance: {{ $.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* Takes (list context component). */}}
{{- define "router.metadata" -}}
{{- $ := index . 0 -}}
labels:
  helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
  {{- include "router.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $.Release.Service }}
{{- end -}}

{{/* An entry of a container's env whose value is a Secret's. Takes (list name secret key). */}}
{{- define "router.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}}
{{- end -}}

{{/* The source of a volume by its storage values. Takes (list storage own-claim). */}}
{{- define "router.storage" -}}
{{- $storage := index . 0 -}}
{{- if $storage.persistentVolumeClaim.enabled -}}
persistentVolumeClaim: {claimName: {{ $storage.persistentVolumeClaim.existingClaim | default (index . 1) }}}
{{- else if $storage.hostPath.enabled -}}
hostPath: {path: {{ $storage.hostPath.path }}}
{{- else -}}
emptyDir:
  {{- pick $storage.emptyDir "sizeLimit" | toYaml | nindent 2 }}
{{- end -}}
{{- end -}}
