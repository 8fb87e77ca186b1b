{{- range $role := list "decode" "prefill" }}
{{- $spec := get $.Values $role }}
{{- $context := merge (dict "role" $role "spec" $spec) $ }}
{{- with $spec.monitoring.podmonitor }}
{{- if and $spec.create .enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "ms.workloadName" $context }}-podmonitor
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "ms.labels" $ | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "ms.podLabels" $context | nindent 6 }}
  {{- with .namespaceSelector }}
  namespaceSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  podMetricsEndpoints:
    - port: {{ .portName | default "metrics" | quote }}
      path: {{ .path | default "/metrics" }}
      interval: {{ .interval | default "30s" }}
      {{- range $key := list "scrapeTimeout" "relabelings" "metricRelabelings" }}
      {{- with get $spec.monitoring.podmonitor $key }}
      {{- dict $key . | toYaml | nindent 6 }}
      {{- end }}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
