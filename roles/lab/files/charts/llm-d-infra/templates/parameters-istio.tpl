{{- if eq (include "infra.parameters" .) "istio" }}
{{- $level := .Values.gateway.gatewayParameters.logLevel }}
{{- $args := list "proxy" "router" "--domain" "$(POD_NAMESPACE).svc.cluster.local" "--proxyLogLevel" $level }}
{{- $args = concat $args (list "--proxyComponentLogLevel" (print "misc:" $level)) }}
{{- $args = concat $args (list "--log_output_level" (print "default:" $level)) }}
{{- $container := dict "name" "istio-proxy" "args" $args }}
{{- with .Values.gateway.gatewayParameters.resources }}
{{- $_ := set $container "resources" . }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "infra.gatewayName" . }}
  labels:
    {{- include "infra.labels" (list . "inference-gateway") | nindent 4 }}
  {{- include "infra.annotations" (list . .Values.gateway.annotations) | nindent 2 }}
data:
  deployment: |
    spec:
      template:
        spec:
          containers:
            - {{- toYaml $container | nindent 14 }}
  service: |
    spec:
      {{- pick .Values.gateway.service "type" "ports" "loadBalancerClass" | toYaml | nindent 6 }}
{{- if .Values.gateway.gatewayParameters.accessLogging }}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata:
  name: {{ include "infra.gatewayName" . }}-telemetry
spec:
  targetRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: {{ include "infra.gatewayName" . }}
  accessLogging:
    - providers:
        - name: envoy
{{- end }}
{{- end }}
