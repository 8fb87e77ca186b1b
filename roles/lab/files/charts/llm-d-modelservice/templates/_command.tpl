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
{{- $flags := list (list "tensor-parallel-size" $sizes.tensor) (list "data-parallel-size" $sizes.data) }}
{{- range append $flags (list "data-parallel-size-local" $sizes.dataLocal) }}
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
