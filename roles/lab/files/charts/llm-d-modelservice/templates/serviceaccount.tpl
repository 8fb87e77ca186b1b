{{- if not .Values.serviceAccountOverride }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "ms.serviceAccount" . }}
  labels:
    {{- include "ms.labels" . | nindent 4 }}
{{- end }}
