apiVersion: v1
kind: Service
metadata:
  {{- include "router.metadata" (list . (include "router.epp" .)) | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "router.selector" . | nindent 4 }}
  ports:
    - name: grpc-ext-proc
      protocol: TCP
      port: {{ .Values.router.epp.extProcPort | default 9002 }}
      appProtocol: kubernetes.io/h2c
    - name: http-metrics
      protocol: TCP
      port: {{ .Values.router.metricsPort | default 9090 }}
    {{- with .Values.router.extraServicePorts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
