{{- if ne .Values.router.inferencePool.create false }}
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  {{- include "router.metadata" (list . .Release.Name) | nindent 2 }}
spec:
  targetPorts:
    {{- range .Values.router.modelServers.targetPorts }}
    - number: {{ .number }}
    {{- end }}
  appProtocol: {{ ternary "kubernetes.io/h2c" "http" (eq .Values.router.modelServers.protocol "grpc") }}
  endpointPickerRef:
    name: {{ include "router.epp" . }}
    port:
      number: {{ .Values.router.epp.extProcPort | default 9002 }}
    failureMode: {{ .Values.router.inferencePool.failureMode | default "FailOpen" }}
  selector:
    matchLabels:
      {{- range $key, $value := .Values.router.modelServers.matchLabels }}
      {{ $key }}: {{ quote $value }}
      {{- end }}
{{- range .Values.router.inferenceObjectives }}
---
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceObjective
metadata:
  {{- include "router.metadata" (list $ .name) | nindent 2 }}
spec:
  priority: {{ .priority }}
  poolRef: {group: inference.networking.k8s.io, name: {{ $.Release.Name }}}
{{- end }}
{{- end }}
