{{/* The routing sidecar: an init container that goes on running. */}}
{{- define "ms.sidecar" -}}
{{- $flags := list "zapDevel/zap-devel" "zapEncoder/zap-encoder" "zapLogLevel/zap-log-level" -}}
{{- $flags = concat $flags (list "zapStacktraceLevel/zap-stacktrace-level" "zapTimeEncoding/zap-time-encoding") -}}
{{- $flags = concat $flags (list "secure/secure-proxy" "prefillerUseTLS/prefiller-use-tls" "certPath/cert-path") -}}
{{- with .Values.routing.proxy -}}
- name: routing-proxy
  image: {{ required "routing.proxy.image is required" .image }}
  imagePullPolicy: {{ .imagePullPolicy | default "Always" }}
  restartPolicy: Always
  args:
    - --port={{ $.Values.routing.servicePort | default 8000 }}
    - --vllm-port={{ .targetPort | default 8200 }}
    - --connector={{ .connector | default "nixlv2" }}
    {{- range $flags }}
    {{- $key := splitList "/" . | first }}
    {{- if hasKey $.Values.routing.proxy $key }}
    - --{{ splitList "/" . | last }}={{ get $.Values.routing.proxy $key }}
    {{- end }}
    {{- end }}
  ports:
    - containerPort: {{ $.Values.routing.servicePort | default 8000 }}
  resources: {}
  securityContext:
    allowPrivilegeEscalation: false
    runAsNonRoot: true
{{- end -}}
{{- end -}}

{{- define "ms.modelVolume" -}}
{{- $scheme := include "ms.scheme" . -}}
{{- $path := include "ms.uriPath" . -}}
{{- if eq $scheme "hf" -}}
- name: model-storage
  emptyDir: {sizeLimit: {{ .Values.modelArtifacts.size | default "0" }}}
{{- else if hasPrefix "pvc" $scheme -}}
- name: model-storage
  persistentVolumeClaim: {claimName: {{ splitList "/" $path | first }}, readOnly: true}
{{- else if eq $scheme "oci" -}}
- name: model-storage
  image: {reference: {{ $path }}, pullPolicy: {{ .Values.modelArtifacts.imagePullPolicy | default "Always" }}}
{{- end -}}
{{- end -}}

{{- define "ms.volumes" -}}
{{- $mounted := false -}}
{{- range .spec.containers }}{{ $mounted = or $mounted .mountModelVolume }}{{ end -}}
{{- with .spec.volumes }}
{{- toYaml . }}
{{ end -}}
{{- if $mounted }}
{{- include "ms.modelVolume" . }}
{{- end }}
{{- end -}}

{{/* What the pod's spec takes over from the role's values. */}}
{{- define "ms.podFields" -}}
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "resourceClaims" }}
{{- with get $.spec $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- with .spec.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $present := list "enableServiceLinks" "terminationGracePeriodSeconds" }}
{{- range $key := .Values.multinode | ternary (concat $present (list "hostIPC" "hostPID")) $present }}
{{- if hasKey $.spec $key }}
{{ $key }}: {{ get $.spec $key }}
{{- end }}
{{- end }}
{{- with .spec.schedulerName | default .Values.schedulerName }}
schedulerName: {{ . }}
{{- end }}
{{- with .spec.acceleratorTypes }}
{{- if .labelKey }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - key: {{ .labelKey }}
              operator: In
              {{- with .labelValues }}
              values:
                {{- toYaml . | nindent 16 }}
              {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "ms.podSpec" -}}
serviceAccountName: {{ include "ms.serviceAccount" . }}
{{- include "ms.podFields" . }}
{{- with .spec.extraConfig }}
{{ include "ms.render" (list . $) }}
{{- end }}
{{- $sidecar := and (eq .role "decode") (eq .Values.routing.proxy.enabled true) }}
{{- if or $sidecar .spec.initContainers }}
initContainers:
  {{- if $sidecar }}
  {{- include "ms.sidecar" . | nindent 2 }}
  {{- end }}
  {{- with .spec.initContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .spec.containers }}
containers:
  {{- range . }}
  {{- include "ms.container" (merge (dict "container" .) $) | nindent 2 }}
  {{- end }}
{{- end }}
volumes:
  {{- include "ms.volumes" . | nindent 2 }}
{{- end -}}
