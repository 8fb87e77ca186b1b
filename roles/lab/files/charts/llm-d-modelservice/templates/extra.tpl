{{- range .Values.extraObjects }}
---
{{ include "ms.render" (list . $) }}
{{- end }}
