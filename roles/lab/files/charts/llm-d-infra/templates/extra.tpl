{{- range .Values.extraDeploy }}
---
{{ include "infra.render" (list . $) }}
{{- end }}
