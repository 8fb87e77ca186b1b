{{/* Says that the user's accelerator count is not what the parallelism asks for. */}}
{{- define "ms.acceleratorWarning" -}}
{{- if .spec.containers -}}
{{- $first := merge (dict "container" (first .spec.containers)) . -}}
{{- $resource := include "ms.acceleratorResource" $first -}}
{{- $gpus := (include "ms.sizes" . | fromJson).gpus | int -}}
{{- $limits := ($first.container.resources | default dict).limits | default dict -}}
{{- $given := get $limits $resource | int -}}
{{- if and $resource (hasKey $limits $resource) (ne $given $gpus) -}}
{{- printf "%s is %d in the values, the parallelism needs %d; %d is used" $resource $given $gpus $given -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ms.topology" -}}
{{- if and .Values.multinode .spec.subGroupExclusiveTopology -}}
leaderworkerset.sigs.k8s.io/subgroup-exclusive-topology: kubernetes.io/hostname
{{- end -}}
{{- end -}}

{{- define "ms.workloadMetadata" -}}
name: {{ include "ms.workloadName" . }}
labels:
  {{- include "ms.labels" . | nindent 2 }}
  {{- if .Values.multinode }}
  {{- include "ms.podLabels" . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (include "ms.topology" . | fromYaml) (.spec.annotations | default dict) }}
{{- with include "ms.acceleratorWarning" . }}
{{- $_ := set $annotations "llm-d.ai/accelerator-warning" . }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "ms.podTemplate" -}}
metadata:
  labels:
    {{- include "ms.podLabels" . | nindent 4 }}
  {{- with merge (dict) (include "ms.topology" . | fromYaml) (.spec.podAnnotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "ms.podSpec" . | nindent 2 }}
{{- end -}}
