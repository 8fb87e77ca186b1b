{{/* The proxy's container. */}}
{{- define "router.proxyContainer" -}}
{{- $proxy := include "router.proxy" . | fromYaml -}}
{{- $agent := eq (include "router.proxyType" .) "agentgateway" -}}
- name: {{ $proxy.name }}
  image: {{ $proxy.image }}
  imagePullPolicy: {{ $proxy.imagePullPolicy | default "IfNotPresent" }}
  {{- with $proxy.command }}
  command: [{{ quote . }}]
  {{- end }}
  args:
    {{- range $proxy.args }}
    - {{ quote . }}
    {{- end }}
  env:
    {{- include "router.fieldEnv" (list "NS_NAME" "metadata.namespace") | nindent 4 }}
    {{- include "router.fieldEnv" (list "POD_NAME" "metadata.name") | nindent 4 }}
  {{- range $key := list "ports" "livenessProbe" "readinessProbe" "startupProbe" "securityContext" "resources" }}
  {{- with index $proxy $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  volumeMounts:
    {{- if $agent }}
    - {name: agentgateway-config-template, mountPath: /config, readOnly: true}
    {{- end }}
    {{- with $proxy.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The volumes that the proxy mounts. */}}
{{- define "router.proxyVolumes" -}}
{{- $proxy := include "router.proxy" . | fromYaml -}}
{{- if eq (include "router.proxyType" .) "agentgateway" }}
- name: agentgateway-config-template
  configMap:
    name: {{ $proxy.configMap.name }}
    items: [{key: config.yaml, path: config.yaml}]
{{- end }}
{{- with $proxy.volumes }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{- define "router.fieldEnv" -}}
- name: {{ index . 0 }}
  valueFrom: {fieldRef: {fieldPath: {{ index . 1 }}}}
{{- end -}}

{{/* Arguments of the EPP, as a YAML list. */}}
{{- define "router.eppArgs" -}}
{{- $epp := .Values.router.epp -}}
{{- $flags := deepCopy ($epp.flags | default dict) -}}
{{- if and (eq (include "router.proxyType" .) "agentgateway") (not (hasKey $flags "secure-serving")) -}}
{{- $flags = set $flags "secure-serving" false -}}
{{- end -}}
{{- if eq .Values.router.inferencePool.create false -}}
{{- $labels := list -}}
{{- range $key, $value := .Values.router.modelServers.matchLabels }}
{{- $labels = append $labels (printf "%s=%s" $key $value) -}}
{{- end -}}
- --endpoint-selector
- {{ join "," $labels | quote }}
- --endpoint-target-ports
- {{ include "router.targetPorts" . | quote }}
{{- else -}}
- --pool-name
- {{ .Release.Name }}
- --pool-namespace
- {{ .Release.Namespace }}
- --pool-group
- inference.networking.k8s.io
{{- end }}
- --zap-encoder
- json
- --config-file
- {{ print "/config/" $epp.pluginsConfigFile | quote }}
{{- if gt (int $epp.replicas) 1 }}
- --ha-enable-leader-election
{{- end }}
- --grpc-health-port
- {{ toString ($epp.grpcHealthPort | default 9003) | quote }}
{{- range $name, $value := $flags }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
- --tracing={{ .Values.router.tracing.enabled }}
{{- if not .Values.router.monitoring.prometheus.auth.enabled }}
- --metrics-endpoint-auth=false
{{- end }}
{{- end -}}
