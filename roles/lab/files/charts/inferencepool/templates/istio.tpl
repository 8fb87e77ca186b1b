{{- if eq .Values.provider.name "istio" }}
{{- $epp := include "pool.epp" . }}
{{- $rule := (.Values.provider.istio | default dict).destinationRule | default dict }}
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: {{ $epp }}
spec:
  host: {{ $rule.host | default (printf "%s.%s.svc.cluster.local" $epp .Release.Namespace) }}
  trafficPolicy:
    # The EPP serves a certificate of its own making.
    tls:
      mode: SIMPLE
      insecureSkipVerify: true
    {{- with ($rule.trafficPolicy | default dict).connectionPool }}
    connectionPool:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
