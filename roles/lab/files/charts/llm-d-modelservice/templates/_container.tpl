{{/* The model as vLLM's argument: a Hugging Face name, or a path in the mounted volume. */}}
{{- define "ms.model" -}}
{{- $scheme := include "ms.scheme" . -}}
{{- $path := include "ms.uriPath" . -}}
{{- if eq $scheme "hf" -}}
{{- tpl $path . -}}
{{- else if eq $scheme "pvc" -}}
{{- .Values.modelArtifacts.mountPath }}/{{ regexSplit "/" $path 2 | last -}}
{{- else if eq $scheme "pvc+hf" -}}
{{- $parts := splitList "/" $path -}}
{{- slice $parts (sub (len $parts) 2 | int) | join "/" -}}
{{- else if eq $scheme "oci" -}}
{{- fail "arguments for an oci:// model are not implemented: use modelCommand custom" -}}
{{- end -}}
{{- end -}}

{{/* The fields command and args, by the container's modelCommand. */}}
{{- define "ms.command" -}}
{{- $mode := .container.modelCommand | default "custom" -}}
{{- if eq $mode "custom" -}}
command:
  {{- required "modelCommand custom needs a command" .container.command | toYaml | nindent 2 }}
{{- with .container.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- else if has $mode (list "vllmServe" "imageDefault") -}}
{{- if eq $mode "vllmServe" -}}
command: [vllm, serve]
{{ end -}}
args:
  {{- if eq $mode "imageDefault" }}
  - --model
  {{- end }}
  {{- with include "ms.model" . }}
  - {{ quote . }}
  {{- end }}
  {{- include "ms.serverArgs" . | nindent 2 }}
  {{- with .container.args }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- else -}}
{{- fail "modelCommand must be vllmServe, imageDefault or custom" -}}
{{- end -}}
{{- end -}}

{{- define "ms.serverArgs" -}}
{{- $sizes := include "ms.sizes" . | fromJson -}}
- --port
- {{ include "ms.serverPort" . | quote }}
{{- range list (list "tensor-parallel-size" $sizes.tensor) (list "data-parallel-size" $sizes.data) (list "data-parallel-size-local" $sizes.dataLocal) }}
{{- if gt (last . | int) 1 }}
- --{{ first . }}
- {{ last . | toString | quote }}
{{- end }}
{{- end }}
- --served-model-name
- {{ quote .Values.modelArtifacts.name }}
{{- with .Values.global.tracing }}
{{- if .enabled }}
- --otlp-traces-endpoint
- {{ quote .otlpEndpoint }}
- --collect-detailed-traces
- {{ quote .vllm.collectDetailedTraces }}
{{- end }}
{{- end }}
{{- end -}}

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
- {name: HF_HUB_CACHE, value: {{ slice $parts 1 (sub (len $parts) 2 | int) | join "/" | print "/model-cache/" | quote }}}
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
- {name: OTEL_SERVICE_NAME, value: {{ get .serviceNames (eq $.role "decode" | ternary "vllmDecode" "vllmPrefill") | quote }}}
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
  {{- range $key := list "securityContext" "imagePullPolicy" "livenessProbe" "readinessProbe" "startupProbe" "workingDir" "stdin" "tty" }}
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
