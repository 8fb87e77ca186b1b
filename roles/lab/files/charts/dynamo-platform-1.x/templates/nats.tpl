{{- if .Values.nats.enabled }}
{{- $config := .Values.nats.config }}
{{- $store := $config.jetstream.fileStore }}
{{- $claimed := and $config.jetstream.enabled $store.enabled $store.pvc.enabled }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-nats-config
  labels: {{- include "dynamo-platform.natsSelector" . | nindent 4 }}
data:
  nats.conf: |
    port: {{ $config.nats.port }}
    {{- if $config.monitor.enabled }}
    http_port: {{ $config.monitor.port }}
    {{- end }}
    {{- if $config.jetstream.enabled }}
    jetstream: {store_dir: {{ $store.dir }}}
    {{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}-nats
  labels: {{- include "dynamo-platform.natsSelector" . | nindent 4 }}
spec:
  serviceName: {{ .Release.Name }}-nats-headless
  replicas: 1
  selector:
    matchLabels: {{- include "dynamo-platform.natsSelector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "dynamo-platform.natsSelector" . | nindent 8 }}
    spec:
      {{- with .Values.nats.podTemplate.merge.spec.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: nats
          {{- $image := .Values.nats.container.image }}
          image: {{ with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}:{{ $image.tag }}
          {{- with $image.pullPolicy }}
          imagePullPolicy: {{ . }}
          {{- end }}
          args: [--config, /etc/nats-config/nats.conf]
          ports:
            - {name: nats, containerPort: {{ $config.nats.port }}}
            {{- if $config.monitor.enabled }}
            - {name: monitor, containerPort: {{ $config.monitor.port }}}
            {{- end }}
          volumeMounts:
            - {name: config, mountPath: /etc/nats-config}
            {{- if $claimed }}
            - {name: {{ .Release.Name }}-nats-js, mountPath: {{ $store.dir }}}
            {{- end }}
        {{- if .Values.nats.reloader.enabled }}
        - name: reloader
          image: {{ .Values.nats.reloader.image.repository }}:{{ .Values.nats.reloader.image.tag }}
          args: [-config, /etc/nats-config/nats.conf]
          volumeMounts: [{name: config, mountPath: /etc/nats-config}]
        {{- end }}
      volumes: [{name: config, configMap: {name: {{ .Release.Name }}-nats-config}}]
  {{- if $claimed }}
  volumeClaimTemplates:
    - metadata: {name: {{ .Release.Name }}-nats-js}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: {{ $store.pvc.size }}}}
        {{- with $store.pvc.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
  {{- end }}
{{- range $suffix, $headless := dict "" false "-headless" true }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Release.Name }}-nats{{ $suffix }}
  labels: {{- include "dynamo-platform.natsSelector" $ | nindent 4 }}
spec:
  {{- if $headless }}
  clusterIP: None
  publishNotReadyAddresses: true
  {{- end }}
  selector: {{- include "dynamo-platform.natsSelector" $ | nindent 4 }}
  ports: [{name: nats, port: {{ $config.nats.port }}, targetPort: nats}]
{{- end }}
{{- if .Values.nats.natsBox.enabled }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-nats-box
  labels: &box
    app.kubernetes.io/name: nats
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/component: nats-box
spec:
  replicas: 1
  selector: {matchLabels: *box}
  template:
    metadata: {labels: *box}
    spec:
      containers:
        - name: nats-box
          image: {{ .Values.nats.natsBox.container.image.repository }}:{{ .Values.nats.natsBox.container.image.tag }}
          command: [sh, -ec, "trap true INT TERM; sleep infinity & wait"]
{{- end }}
{{- end }}
