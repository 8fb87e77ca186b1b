{{- if include "pool.isGke" . }}
{{- $target := dict "group" (include "pool.group" .) "kind" "InferencePool" "name" .Release.Name }}
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata:
  {{- include "pool.metadata" (list . .Release.Name) | nindent 2 }}
spec:
  targetRef:
    {{- toYaml $target | nindent 4 }}
  default:
    timeoutSec: 2
    checkIntervalSec: 2
    config:
      type: HTTP
      httpHealthCheck: {requestPath: /health, port: {{ .Values.inferencePool.targetPortNumber }}}
---
apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata:
  {{- include "pool.metadata" (list . .Release.Name) | nindent 2 }}
spec:
  targetRef:
    {{- toYaml $target | nindent 4 }}
  default:
    timeoutSec: 300
    logging: {enabled: true}
{{- end }}
