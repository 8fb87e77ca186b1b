{{/*
A component's Deployment. Takes (list context component values container volumes): container and volumes are YAML, of
what only this component has.
*/}}
{{- define "router.deployment" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index . 2 -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "router.fullname" $ }}-{{ $component }}
  {{- include "router.metadata" (list $ $component) | nindent 2 }}
spec:
  replicas: {{ $values.replicas }}
  {{- with $values.strategy }}
  strategy:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "router.selector" (list $ $component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "router.selector" (list $ $component) | nindent 8 }}
    spec:
      {{- with $values.securityContext.pod }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        -
          {{- index . 3 | nindent 10 }}
          image: {{ printf "%s%s:%s" $.Values.global.imageRegistry $values.image.repository $values.image.tag | quote }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          {{- with $values.securityContext.container }}
          securityContext:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- range $name := list "readinessProbe" "livenessProbe" "startupProbe" }}
          {{- with index $values.healthChecks $name }}
          {{ $name }}:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- end }}
      {{- with $.Values.global.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with index . 4 }}
      volumes:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with $.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity | default $.Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* A component's Service. Takes (list context component type ports). */}}
{{- define "router.service" -}}
{{- $ := index . 0 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "router.fullname" $ }}-{{ index . 1 }}
  {{- include "router.metadata" (list $ (index . 1)) | nindent 2 }}
spec:
  type: {{ index . 2 }}
  ports:
    {{- range index . 3 }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .targetPort }}, protocol: TCP}
    {{- end }}
  selector:
    {{- include "router.selector" (list $ (index . 1)) | nindent 4 }}
{{- end -}}
