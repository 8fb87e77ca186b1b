{{- include "router.check" . }}
{{- $epp := .Values.router.epp }}
{{- $health := $epp.grpcHealthPort | default 9003 }}
{{- $replicated := gt (int $epp.replicas) 1 }}
{{- $beside := and .Values.router.proxy.enabled (not (include "router.ownProxy" .)) }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "router.metadata" (list . (include "router.epp" .)) | nindent 2 }}
    llm-d.ai/igw-mode: {{ include "router.mode" . }}
spec:
  replicas: {{ $epp.replicas | default 1 }}
  # One EPP is active at a time: the old one goes before the new one comes.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "router.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "router.selector" . | nindent 8 }}
        llm-d.ai/igw-mode: {{ include "router.mode" . }}
      {{- with $epp.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "router.epp" . }}
      terminationGracePeriodSeconds: 130
      {{- range $key := list "affinity" "tolerations" }}
      {{- with index $epp $key }}
      {{ $key }}:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      containers:
        {{- if $beside }}
        {{- include "router.proxyContainer" . | nindent 8 }}
        {{- end }}
        - name: epp
          image: {{ printf "%s/%s:%s" $epp.image.registry $epp.image.repository $epp.image.tag }}
          imagePullPolicy: {{ $epp.image.pullPolicy | default "IfNotPresent" }}
          args:
            {{- include "router.eppArgs" . | nindent 12 }}
          resources:
            {{- toYaml $epp.resources | nindent 12 }}
          ports:
            - {name: grpc, containerPort: 9002}
            - {name: grpc-health, containerPort: {{ $health }}}
            - {name: metrics, containerPort: 9090}
            {{- with $epp.extraContainerPorts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          livenessProbe:
            grpc: {port: {{ $health }}, service: {{ $replicated | ternary "liveness" "inference-extension" }}}
            initialDelaySeconds: 5
            periodSeconds: 10
          readinessProbe:
            grpc: {port: {{ $health }}, service: {{ $replicated | ternary "readiness" "inference-extension" }}}
            periodSeconds: 2
          env:
            {{- include "router.fieldEnv" (list "NAMESPACE" "metadata.namespace") | nindent 12 }}
            {{- include "router.fieldEnv" (list "POD_NAME" "metadata.name") | nindent 12 }}
            {{- with $epp.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          volumeMounts:
            - {name: plugins-config-volume, mountPath: /config}
      volumes:
        {{- if $beside }}
        {{- include "router.proxyVolumes" . | trim | nindent 8 }}
        {{- end }}
        - name: plugins-config-volume
          configMap: {name: {{ include "router.epp" . }}}
