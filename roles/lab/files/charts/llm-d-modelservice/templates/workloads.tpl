{{- include "ms.check" . }}
{{- range $role := list "decode" "prefill" }}
{{- $spec := get $.Values $role }}
{{- $context := merge (dict "role" $role "spec" $spec) $ }}
{{- $replicas := hasKey $spec "replicas" | ternary $spec.replicas 1 }}
{{- if and $spec.create $.Values.multinode }}
---
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata:
  {{- include "ms.workloadMetadata" $context | nindent 2 }}
spec:
  {{- if not $spec.autoscaling.enabled }}
  replicas: {{ $replicas }}
  {{- end }}
  leaderWorkerTemplate:
    size: {{ (include "ms.sizes" $context | fromJson).workers }}
    {{- with $spec.subGroupPolicy }}
    subGroupPolicy:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    workerTemplate:
      {{- include "ms.podTemplate" $context | nindent 6 }}
{{- else if $spec.create }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "ms.workloadMetadata" $context | nindent 2 }}
spec:
  replicas: {{ $replicas }}
  selector:
    matchLabels:
      {{- include "ms.podLabels" $context | nindent 6 }}
  template:
    {{- include "ms.podTemplate" $context | nindent 4 }}
{{- end }}
{{- end }}
