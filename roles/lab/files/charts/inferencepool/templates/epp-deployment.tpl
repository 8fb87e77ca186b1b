{{- $epp := .Values.inferenceExtension }}
{{- $replicated := gt (int $epp.replicas) 1 }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "pool.metadata" (list . (include "pool.epp" .)) | nindent 2 }}
spec:
  replicas: {{ $epp.replicas | default 1 }}
  # One EPP is active at a time: the old one goes before the new one comes.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "pool.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "pool.selector" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "pool.epp" . }}
      terminationGracePeriodSeconds: 130
      {{- with $epp.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $epp.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        {{- if $epp.sidecar.enabled }}
        {{- include "pool.sidecar" . | nindent 8 }}
        {{- end }}
        - name: epp
          image: {{ printf "%s/%s:%s" $epp.image.hub $epp.image.name $epp.image.tag }}
          imagePullPolicy: {{ $epp.image.pullPolicy | default "IfNotPresent" }}
          args:
            {{- include "pool.eppArgs" . | nindent 12 }}
          ports:
            - {name: grpc, containerPort: 9002}
            - {name: grpc-health, containerPort: 9003}
            - {name: metrics, containerPort: 9090}
            {{- with $epp.extraContainerPorts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          livenessProbe:
            grpc: {port: 9003, service: {{ $replicated | ternary "liveness" "inference-extension" }}}
            initialDelaySeconds: 5
            periodSeconds: 10
          readinessProbe:
            grpc: {port: 9003, service: {{ $replicated | ternary "readiness" "inference-extension" }}}
            periodSeconds: 2
          env:
            {{- include "pool.eppEnv" . | nindent 12 }}
          volumeMounts:
            - {name: plugins-config-volume, mountPath: /config}
            {{- with $epp.volumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: plugins-config-volume
          configMap: {name: {{ include "pool.epp" . }}}
        {{- with $epp.volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with $epp.sidecar.volumes }}
        {{- tpl (toYaml .) $ | nindent 8 }}
        {{- end }}
