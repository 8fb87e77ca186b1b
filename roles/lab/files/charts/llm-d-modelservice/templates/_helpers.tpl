{{/* Cut to 55 characters, which leaves room for -prefill; a release named after the chart is not doubled. */}}
{{- define "ms.fullname" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $name := contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart) -}}
{{- .Values.fullnameOverride | default $name | trunc 55 | trimSuffix "-" -}}
{{- end -}}

{{- define "ms.serviceAccount" -}}
{{- .Values.serviceAccountOverride | default (include "ms.fullname" .) -}}
{{- end -}}

{{- define "ms.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* A value whose strings may be templates. Takes (list value context). */}}
{{- define "ms.render" -}}
{{- $value := index . 0 -}}
{{- tpl (kindIs "string" $value | ternary $value ($value | toYaml)) (index . 1) -}}
{{- end -}}

{{/*
The helpers below take a role's context: the chart's own (Values, Release, Chart ...) with "role" ("decode" or
"prefill") and "spec" (that role's values), and for a container "container".
*/}}
{{- define "ms.workloadName" -}}
{{- include "ms.fullname" . }}-{{ .role }}
{{- end -}}

{{/* What the pool's selector and the role's own selector match. */}}
{{- define "ms.podLabels" -}}
{{- toYaml .Values.modelArtifacts.labels }}
llm-d.ai/role: {{ .role }}
{{- end -}}

{{- define "ms.scheme" -}}
{{- splitList "://" .Values.modelArtifacts.uri | first -}}
{{- end -}}

{{- define "ms.uriPath" -}}
{{- splitList "://" .Values.modelArtifacts.uri | last -}}
{{- end -}}

{{/* Sizes as JSON {tensor, data, dataLocal, workers, gpus}; each follows from the others where it is missing. */}}
{{- define "ms.sizes" -}}
{{- $given := .spec.parallelism | default dict -}}
{{- $tensor := int ($given.tensor | default 1) -}}
{{- $data := int ($given.data | default 0) -}}
{{- $local := int ($given.dataLocal | default 0) -}}
{{- $workers := int ($given.workers | default 0) -}}
{{- if and $data $workers (not $local) (mod $data $workers) -}}
{{- fail (printf "%s.parallelism.data must be a multiple of parallelism.workers" .role) -}}
{{- else if and .Values.multinode $data $local (not $workers) (mod $data $local) -}}
{{- fail (printf "%s.parallelism.data must be a multiple of parallelism.dataLocal" .role) -}}
{{- end -}}
{{- $allData := $data | default (mul ($local | default 1) (and $local $workers | default 1)) -}}
{{- $local = $local | default (div $allData (and $data $workers | default 1)) -}}
{{- $workers = $workers | default (div ($data | default $local) $local) -}}
{{- dict "tensor" $tensor "data" $allData "dataLocal" $local "workers" $workers "gpus" (mul $tensor $local) | toJson -}}
{{- end -}}

{{/* The port of the model server: behind the sidecar where there is one. */}}
{{- define "ms.serverPort" -}}
{{- if or (eq .role "prefill") (eq .Values.routing.proxy.enabled false) -}}
{{- .Values.routing.servicePort -}}
{{- else -}}
{{- .Values.routing.proxy.targetPort -}}
{{- end -}}
{{- end -}}

{{- define "ms.acceleratorType" -}}
{{- (.spec.accelerator | default dict).type | default .Values.accelerator.type | default "nvidia" -}}
{{- end -}}

{{/* The extended resource of the role's accelerator; nothing for CPUs and the simulator. */}}
{{- define "ms.acceleratorResource" -}}
{{- $type := include "ms.acceleratorType" . -}}
{{- if not (or (eq $type "cpu") (contains "llm-d-inference-sim" (.container.image | default ""))) -}}
{{- get .Values.accelerator.resources $type | default "nvidia.com/gpu" -}}
{{- end -}}
{{- end -}}

{{/* Fails early with what the chart does not do. */}}
{{- define "ms.check" -}}
{{- if .Values.requester.enable -}}
{{- fail "requester is not part of the lab's llm-d-modelservice chart; use the published chart" -}}
{{- end -}}
{{- range list .Values.accelerator .Values.decode.accelerator .Values.prefill.accelerator -}}
{{- if (. | default dict).dra -}}
{{- fail "accelerator.dra is not part of the lab's llm-d-modelservice chart; use the published chart" -}}
{{- end -}}
{{- end -}}
{{- end -}}
