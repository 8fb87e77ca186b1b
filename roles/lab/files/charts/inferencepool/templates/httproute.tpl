{{- with .Values.experimentalHttpRoute }}
{{- if .enabled }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $.Release.Name }}
  namespace: {{ $.Release.Namespace }}
spec:
  parentRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: {{ .inferenceGatewayName }}
  rules:
    - matches:
        - path: {type: PathPrefix, value: /}
          {{- with .baseModel }}
          headers:
            - {type: Exact, name: X-Gateway-Base-Model-Name, value: {{ quote . }}}
          {{- end }}
      backendRefs:
        - group: inference.networking.k8s.io
          kind: InferencePool
          name: {{ $.Release.Name }}
      timeouts:
        request: 300s
{{- end }}
{{- end }}
