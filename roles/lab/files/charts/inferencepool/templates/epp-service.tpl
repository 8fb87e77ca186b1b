apiVersion: v1
kind: Service
metadata:
  {{- include "pool.metadata" (list . (include "pool.epp" .)) | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "pool.selector" . | nindent 4 }}
  ports:
    - name: grpc-ext-proc
      protocol: TCP
      port: {{ .Values.inferenceExtension.extProcPort | default 9002 }}
    - name: http-metrics
      protocol: TCP
      port: {{ .Values.inferenceExtension.metricsPort | default 9090 }}
    {{- with .Values.inferenceExtension.extraServicePorts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
