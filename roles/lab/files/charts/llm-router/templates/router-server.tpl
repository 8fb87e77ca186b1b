{{- define "router.serverContainer" -}}
{{- $auth := .modelRepository.cloudAuth -}}
name: router-server
command:
  - tritonserver
  - --log-verbose=1
  {{- with .modelRepository.path }}
  - --model-repository={{ . }}
  {{- end }}
ports:
  - {name: http, containerPort: 8000, protocol: TCP}
  - {name: grpc, containerPort: 8001, protocol: TCP}
  - {name: metrics, containerPort: 8002, protocol: TCP}
{{- if or .env $auth.aws.enabled $auth.gcs.enabled $auth.azure.enabled }}
env:
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with $auth.aws }}
  {{- if .enabled }}
  {{- include "router.secretEnv" (list "AWS_ACCESS_KEY_ID" .secretName .accessKeySecretKey) | nindent 2 }}
  {{- include "router.secretEnv" (list "AWS_SECRET_ACCESS_KEY" .secretName .secretAccessKeySecretKey) | nindent 2 }}
  {{- if .regionSecretKey }}
  {{- include "router.secretEnv" (list "AWS_DEFAULT_REGION" .secretName .regionSecretKey) | nindent 2 }}
  {{- end }}
  {{- if .sessionTokenSecretKey }}
  {{- include "router.secretEnv" (list "AWS_SESSION_TOKEN" .secretName .sessionTokenSecretKey) | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with $auth.gcs }}
  {{- if .enabled }}
  {{- $key := .serviceAccountKeySecretKey }}
  {{- include "router.secretEnv" (list "GOOGLE_APPLICATION_CREDENTIALS_JSON" .secretName $key) | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with $auth.azure }}
  {{- if and .enabled .connectionStringSecretKey }}
  {{- $key := .connectionStringSecretKey }}
  {{- include "router.secretEnv" (list "AZURE_STORAGE_CONNECTION_STRING" .secretName $key) | nindent 2 }}
  {{- else if .enabled }}
  {{- include "router.secretEnv" (list "AZURE_STORAGE_ACCOUNT" .secretName .accountNameSecretKey) | nindent 2 }}
  {{- include "router.secretEnv" (list "AZURE_STORAGE_KEY" .secretName .accountKeySecretKey) | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- if .volumes.modelRepository.enabled }}
volumeMounts:
  - {name: model-repository, mountPath: {{ .volumes.modelRepository.mountPath }}}
{{- end }}
{{- end -}}

{{- with .Values.routerServer }}
{{- if .enabled }}
{{- $claim := printf "%s-router-server-model-repo" (include "router.fullname" $) }}
{{- $volume := "" }}
{{- if .volumes.modelRepository.enabled }}
{{- $storage := .volumes.modelRepository.storage }}
{{- $source := include "router.storage" (list $storage $claim) }}
{{- if and $storage.nfs.enabled (not $storage.persistentVolumeClaim.enabled) }}
{{- $source = pick $storage.nfs "server" "path" "readOnly" | dict "nfs" | toYaml }}
{{- end }}
{{- $volume = printf "- name: model-repository\n%s" ($source | indent 2) }}
{{- end }}
{{ include "router.deployment" (list $ "router-server" . (include "router.serverContainer" .) $volume) }}
---
{{ include "router.service" (list $ "router-server" .service.type .service.ports) }}
{{- with .volumes.modelRepository }}
{{- if and .enabled .storage.persistentVolumeClaim.enabled (not .storage.persistentVolumeClaim.existingClaim) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ $claim }}
  {{- include "router.metadata" (list $ "router-server") | nindent 2 }}
spec:
  {{- with .storage.persistentVolumeClaim }}
  accessModes: [{{ .accessMode }}]
  resources: {requests: {storage: {{ .size }}}}
  {{- with .storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
