{{- if and .Values.gateway.enabled .Values.ingress.enabled (eq .Values.gateway.service.type "ClusterIP") }}
{{- $service := include "infra.gatewayService" . }}
{{- $host := tpl .Values.ingress.host . }}
{{- $firstPort := (first .Values.gateway.listeners).port }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "infra.gatewayName" . }}
  labels:
    {{- include "infra.labels" (list . "sample-application") | nindent 4 }}
  {{- include "infra.annotations" (list . .Values.ingress.annotations) | nindent 2 }}
spec:
  {{- with .Values.ingress.ingressClassName }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if or .Values.ingress.tls.enabled .Values.ingress.extraTls }}
  tls:
    {{- if .Values.ingress.tls.enabled }}
    - hosts: [{{ quote $host }}]
      secretName: {{ tpl .Values.ingress.tls.secretName . }}
    {{- end }}
    {{- with .Values.ingress.extraTls }}
    {{- include "infra.render" (list . $) | nindent 4 }}
    {{- end }}
  {{- end }}
  rules:
    - http:
        paths:
          {{- range .Values.gateway.listeners }}
          - path: {{ .path }}
            pathType: {{ .pathType | default "Prefix" }}
            backend: {service: {name: {{ $service }}, port: {number: {{ .port }}}}}
          {{- end }}
      {{- with $host }}
      host: {{ quote . }}
      {{- end }}
    {{- range .Values.ingress.extraHosts }}
    - http:
        paths:
          - path: {{ .path | default $.Values.ingress.path | default "/" }}
            pathType: {{ .pathType | default "Prefix" }}
            backend: {service: {name: {{ $service }}, port: {number: {{ .port | default $firstPort }}}}}
      {{- with .name }}
      host: {{ quote . }}
      {{- end }}
    {{- end }}
{{- end }}
