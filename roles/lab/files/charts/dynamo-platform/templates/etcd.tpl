{{- if .Values.etcd.enabled }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}-etcd
  labels: {{- include "dynamo-platform.etcdSelector" . | nindent 4 }}
spec:
  serviceName: {{ .Release.Name }}-etcd-headless
  replicas: {{ .Values.etcd.replicaCount }}
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "dynamo-platform.etcdSelector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "dynamo-platform.etcdSelector" . | nindent 8 }}
    spec:
      {{- with .Values.etcd.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: etcd
          {{- $image := .Values.etcd.image }}
          image: {{ printf "%s/%s:%s" $image.registry $image.repository $image.tag | trimPrefix "/" }}
          env:
            - {name: ALLOW_NONE_AUTHENTICATION, value: {{ not .Values.etcd.auth.rbac.create | quote }}}
          ports: [{name: client, containerPort: 2379}, {name: peer, containerPort: 2380}]
          {{- if .Values.etcd.livenessProbe.enabled }}
          livenessProbe: {exec: {command: [/opt/bitnami/scripts/etcd/healthcheck.sh]}}
          {{- end }}
          {{- if .Values.etcd.readinessProbe.enabled }}
          readinessProbe: {exec: {command: [/opt/bitnami/scripts/etcd/healthcheck.sh]}}
          {{- end }}
          volumeMounts: [{name: data, mountPath: /bitnami/etcd}]
      {{- if not .Values.etcd.persistence.enabled }}
      volumes: [{name: data, emptyDir: {}}]
      {{- end }}
  {{- if .Values.etcd.persistence.enabled }}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: {{ .Values.etcd.persistence.size }}}}
        {{- with .Values.etcd.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
  {{- end }}
{{- range $suffix, $headless := dict "" false "-headless" true }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Release.Name }}-etcd{{ $suffix }}
  labels: {{- include "dynamo-platform.etcdSelector" $ | nindent 4 }}
spec:
  {{- if $headless }}
  clusterIP: None
  publishNotReadyAddresses: true
  {{- end }}
  selector: {{- include "dynamo-platform.etcdSelector" $ | nindent 4 }}
  ports: [{name: client, port: 2379, targetPort: client}, {name: peer, port: 2380, targetPort: peer}]
{{- end }}
{{- end }}
