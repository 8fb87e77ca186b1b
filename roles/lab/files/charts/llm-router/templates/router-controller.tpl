{{- define "router.controllerContainer" -}}
{{- $config := .Values.routerController.config -}}
name: {{ .Chart.Name }}-router-controller
ports:
  - {name: http, containerPort: {{ .Values.routerController.service.targetPort }}, protocol: TCP}
env:
  - {name: RUST_LOG, value: {{ $config.logLevel | default "info" | quote }}}
  - {name: CONFIG_PATH, value: {{ $config.mountPath }}/config.yaml}
  {{- $secret := $config.apiKeySecret | default "llm-api-keys" }}
  {{- $key := $config.apiKeySecretKey | default "nvidia_api_key" }}
  {{- include "router.secretEnv" (list "NVIDIA_API_KEY" $secret $key) | nindent 2 }}
  {{- with .Values.routerController.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: config-volume, mountPath: {{ $config.mountPath }}}
{{- end -}}

{{- $own := printf "%s-router-controller-config" (include "router.fullname" .) }}
{{- with .Values.routerController }}
{{- if .enabled }}
{{- $volume := printf "- {name: config-volume, configMap: {name: %s}}" (.config.existingConfigMap | default $own) }}
{{ include "router.deployment" (list $ "router-controller" . (include "router.controllerContainer" $) $volume) }}
---
{{- $port := dict "name" "http" "port" .service.port "targetPort" .service.targetPort }}
{{ include "router.service" (list $ "router-controller" .service.type (list $port)) }}
{{- end }}
{{- if not .config.existingConfigMap }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $own }}
  {{- include "router.metadata" (list $ "router-controller") | nindent 2 }}
data:
  config.yaml: |-
    {{- if .config.customConfig }}
    {{- .config.customConfig | nindent 4 }}
    {{- else if .config.useTemplate }}
    {{- include "router.policies" (list $ .config.apiBase .config.models) | nindent 4 }}
    {{- else }}
    {{- $base := "https://integrate.api.nvidia.com" }}
    {{- include "router.policies" (list $ $base ($.Files.Get "models.yaml" | fromYaml)) | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
---
# Nothing mounts it.
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "router.fullname" . }}-update-script
  {{- include "router.metadata" (list . "router-controller") | nindent 2 }}
data:
  update_config_yaml_helper.py: |
    print("the lab's stand-in has nothing to update")
