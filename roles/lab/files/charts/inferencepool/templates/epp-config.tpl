apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "pool.epp" . }}
  namespace: {{ .Release.Namespace }}
data:
  default-plugins.yaml: |
    apiVersion: inference.networking.x-k8s.io/v1alpha1
    kind: EndpointPickerConfig
    plugins:
      - type: queue-scorer
      - type: kv-cache-utilization-scorer
      - type: prefix-cache-scorer
    schedulingProfiles:
      - name: default
        plugins:
          - {pluginRef: queue-scorer, weight: 2}
          - {pluginRef: kv-cache-utilization-scorer, weight: 2}
          - {pluginRef: prefix-cache-scorer, weight: 3}
  {{- with .Values.inferenceExtension.pluginsCustomConfig }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.inferenceExtension.sidecar }}
{{- if and .enabled .configMapData }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "pool.epp" $ }}-sidecar
  namespace: {{ $.Release.Namespace }}
data:
  {{- toYaml .configMapData | nindent 2 }}
{{- end }}
{{- end }}
