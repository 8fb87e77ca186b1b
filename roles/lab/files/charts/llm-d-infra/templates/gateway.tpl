{{- with .Values.gateway }}
{{- if .enabled }}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: {{ include "infra.gatewayName" $ }}
  labels:
    {{- include "infra.labels" (list $ "inference-gateway") | nindent 4 }}
    {{- with .labels }}
    {{- include "infra.render" (list . $) | nindent 4 }}
    {{- end }}
    {{- if eq .gatewayClassName "istio" }}
    istio.io/enable-inference-extproc: "true"
    {{- end }}
  {{- include "infra.annotations" (list $ .annotations) | nindent 2 }}
spec:
  gatewayClassName: {{ quote .gatewayClassName }}
  listeners:
    {{- range required "gateway.listeners needs at least one listener" .listeners }}
    - {{- pick . "name" "port" "protocol" "allowedRoutes" | toYaml | nindent 6 }}
      {{- with .tls }}
      hostname: {{ quote .hostname }}
      tls:
        {{- pick . "mode" "certificateRefs" | toYaml | nindent 8 }}
      {{- end }}
    {{- end }}
  {{- with include "infra.parameters" $ }}
  infrastructure:
    parametersRef:
      name: {{ include "infra.gatewayName" $ }}
      group: {{ eq . "istio" | ternary "" "gateway.kgateway.dev" | quote }}
      kind: {{ eq . "istio" | ternary "ConfigMap" "GatewayParameters" }}
  {{- end }}
{{- end }}
{{- end }}
