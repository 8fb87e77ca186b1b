{{- if include "router.ownProxy" . }}
{{- $name := print (include "router.base" .) "-proxy" }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "router.metadata" (list . $name) | nindent 2 }}
    {{- include "router.proxySelector" . | nindent 4 }}
spec:
  replicas: {{ .Values.router.proxy.replicas | default 2 }}
  selector:
    matchLabels:
      {{- include "router.proxySelector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "router.labels" . | nindent 8 }}
        {{- include "router.proxySelector" . | nindent 8 }}
    spec:
      containers:
        {{- include "router.proxyContainer" . | nindent 8 }}
      volumes:
        {{- include "router.proxyVolumes" . | trim | nindent 8 }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "router.metadata" (list . $name) | nindent 2 }}
    {{- include "router.proxySelector" . | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "router.proxySelector" . | nindent 4 }}
  ports:
    {{- toYaml .Values.router.extraServicePorts | nindent 4 }}
{{- end }}
