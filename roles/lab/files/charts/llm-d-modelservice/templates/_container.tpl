{{- define "ms.env" -}}
{{- $sizes := include "ms.sizes" . | fromJson -}}
{{- $type := include "ms.acceleratorType" . -}}
{{- with .container.env }}
{{- include "ms.render" (list . $) }}
{{ end -}}
- {name: DP_SIZE, value: {{ $sizes.data | toString | quote }}}
- {name: TP_SIZE, value: {{ $sizes.tensor | toString | quote }}}
- {name: DP_SIZE_LOCAL, value: {{ $sizes.dataLocal | toString | quote }}}
{{- if .container.mountModelVolume }}
{{- if eq (include "ms.scheme" .) "hf" }}
- {name: HF_HOME, value: {{ quote .Values.modelArtifacts.mountPath }}}
{{- else if eq (include "ms.scheme" .) "pvc+hf" }}
{{- $parts := include "ms.uriPath" . | splitList "/" }}
{{- $cache := slice $parts 1 (sub (len $parts) 2 | int) | join "/" }}
- {name: HF_HUB_CACHE, value: {{ quote (print "/model-cache/" $cache) }}}
{{- end }}
{{- end }}
{{- with .Values.modelArtifacts.authSecretName }}
- name: HF_TOKEN
  valueFrom: {secretKeyRef: {name: {{ . }}, key: HF_TOKEN}}
{{- end }}
{{- if ne $type "cpu" }}
{{- range get .Values.accelerator.env $type | default list }}
- {name: {{ .name }}, value: {{ quote .value }}}
{{- end }}
{{- end }}
{{- with .Values.global.tracing }}
{{- if .enabled }}
- {name: OTEL_SERVICE_NAME, value: {{ get .serviceNames (print "vllm" (title $.role)) | quote }}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ quote .otlpEndpoint }}}
- {name: OTEL_TRACES_EXPORTER, value: otlp}
- {name: OTEL_TRACES_SAMPLER, value: {{ quote .sampling.sampler }}}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ quote .sampling.samplerArg }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* limits and requests with the accelerators that the parallelism needs, where the user sets none. */}}
{{- define "ms.resources" -}}
{{- $given := .container.resources | default dict -}}
{{- $resource := include "ms.acceleratorResource" . -}}
{{- $gpus := (include "ms.sizes" . | fromJson).gpus | int -}}
{{- $added := dict -}}
{{- if and $resource (ge $gpus 1) -}}
{{- $_ := set $added $resource (toString $gpus) -}}
{{- end -}}
limits:
  {{- merge (deepCopy ($given.limits | default dict)) $added | toYaml | nindent 2 }}
requests:
  {{- merge (deepCopy ($given.requests | default dict)) $added | toYaml | nindent 2 }}
{{- with .spec.resourceClaims }}
claims:
  {{- range . }}
  - name: {{ .name }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "ms.container" -}}
- name: {{ .container.name | default "vllm" }}
  image: {{ required "a container needs an image" .container.image }}
  {{- with .container.extraConfig }}
  {{- include "ms.render" (list . $) | nindent 2 }}
  {{- end }}
  {{- include "ms.command" . | nindent 2 }}
  env:
    {{- include "ms.env" . | nindent 4 }}
  {{- with .container.ports }}
  ports:
    {{- include "ms.render" (list . $) | nindent 4 }}
  {{- end }}
  resources:
    {{- include "ms.resources" . | nindent 4 }}
  {{- $kept := list "securityContext" "imagePullPolicy" "livenessProbe" "readinessProbe" "startupProbe" }}
  {{- range $key := concat $kept (list "workingDir" "stdin" "tty") }}
  {{- with get $.container $key }}
  {{- dict $key . | toYaml | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- if or .container.volumeMounts .container.mountModelVolume }}
  volumeMounts:
    {{- with .container.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if .container.mountModelVolume }}
    - name: model-storage
      mountPath: {{ .Values.modelArtifacts.mountPath }}
      {{- if has (include "ms.scheme" .) (list "pvc" "oci") }}
      readOnly: true
      {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}
