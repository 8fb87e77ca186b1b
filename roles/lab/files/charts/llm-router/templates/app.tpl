{{- define "router.appContainer" -}}
name: app
workingDir: /app
command: [python, app.py]
ports:
  - {name: http, containerPort: {{ .service.targetPort }}, protocol: TCP}
volumeMounts:
  - {name: config-volume, mountPath: /app/config.yaml, subPath: config.yaml}
  {{- if .volumes.appDir.enabled }}
  - {name: app-volume, mountPath: {{ .volumes.appDir.mountPath }}}
  {{- end }}
{{- end -}}

{{- $name := include "router.fullname" . -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}-app-config
  {{- include "router.metadata" (list . "app") | nindent 2 }}
data:
  config.yaml: |-
    router_controller_url: http://{{ $name }}-router-controller:{{ .Values.routerController.service.port }}
    openai_api_key: "api-key"
    routing_strategy: [manual, triton]
{{- with .Values.app }}
{{- if .enabled }}
{{- $volumes := printf "- {name: config-volume, configMap: {name: %s-app-config}}" $name }}
{{- if .volumes.appDir.enabled }}
{{- $source := include "router.storage" (list .volumes.appDir.storage (printf "%s-app-storage" $name)) }}
{{- $volumes = printf "%s\n- name: app-volume\n%s" $volumes ($source | indent 2) }}
{{- end }}
---
{{ include "router.deployment" (list $ "app" . (include "router.appContainer" .) $volumes) }}
---
{{- $port := dict "name" "http" "port" .service.port "targetPort" .service.targetPort }}
{{ include "router.service" (list $ "app" .service.type (list $port)) }}
{{- end }}
{{- end }}
