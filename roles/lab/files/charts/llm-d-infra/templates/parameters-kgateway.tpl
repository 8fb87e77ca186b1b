{{- if eq (include "infra.parameters" .) "kgateway" }}
{{- $level := .Values.gateway.gatewayParameters.logLevel }}
apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayParameters
metadata:
  name: {{ include "infra.gatewayName" . }}
  labels:
    {{- include "infra.labels" (list . "inference-gateway") | nindent 4 }}
  {{- include "infra.annotations" (list . .Values.gateway.annotations) | nindent 2 }}
spec:
  kube:
    service:
      {{- pick .Values.gateway.service "type" "ports" | toYaml | nindent 6 }}
      extraLabels:
        gateway: custom
    podTemplate:
      extraLabels:
        gateway: custom
    envoyContainer:
      bootstrap:
        logLevel: warn
        componentLogLevels:
          connection: {{ $level }}
          http: {{ $level }}
          upstream: {{ $level }}
      {{- with .Values.gateway.gatewayParameters.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
    sdsContainer:
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        seccompProfile:
          type: RuntimeDefault
{{- end }}
