{{- with .Values.gateway }}
{{- if and .enabled .destinationRule.enabled (eq .gatewayClassName "istio") }}
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: {{ include "infra.gatewayName" $ }}
spec:
  host: {{ required "gateway.destinationRule.host is required" .destinationRule.host }}
  {{- range $key := list "trafficPolicy" "subsets" "exportTo" "workloadSelector" }}
  {{- with index $.Values.gateway.destinationRule $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
