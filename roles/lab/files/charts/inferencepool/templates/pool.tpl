{{- include "pool.check" . }}
{{- $alpha := eq .Values.inferencePool.apiVersion "inference.networking.x-k8s.io/v1alpha2" }}
{{- $port := .Values.inferenceExtension.extProcPort | default 9002 }}
apiVersion: {{ $alpha | ternary .Values.inferencePool.apiVersion "inference.networking.k8s.io/v1" }}
kind: InferencePool
metadata:
  {{- include "pool.metadata" (list . .Release.Name) | nindent 2 }}
spec:
  {{- if $alpha }}
  targetPortNumber: {{ .Values.inferencePool.targetPortNumber | default 8000 }}
  extensionRef:
    name: {{ include "pool.epp" . }}
    portNumber: {{ $port }}
    failureMode: {{ .Values.inferenceExtension.failureMode | default "FailClose" }}
  selector:
    {{- range $key, $value := .Values.inferencePool.modelServers.matchLabels }}
    {{ $key }}: {{ quote $value }}
    {{- end }}
  {{- else }}
  targetPorts:
    {{- range .Values.inferencePool.targetPorts }}
    - number: {{ .number }}
    {{- end }}
  endpointPickerRef:
    name: {{ include "pool.epp" . }}
    port:
      number: {{ $port }}
  selector:
    matchLabels:
      {{- range $key, $value := .Values.inferencePool.modelServers.matchLabels }}
      {{ $key }}: {{ quote $value }}
      {{- end }}
  {{- end }}
