{{- $operator := index .Values "dynamo-operator" }}
{{- if $operator.enabled }}
{{- $name := include "dynamo-platform.operator" . }}
{{- $manager := $operator.controllerManager.manager }}
{{- $image := printf "%s:%s" $manager.image.repository (default .Chart.AppVersion $manager.image.tag) }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}-controller-manager
  labels:
    app.kubernetes.io/component: manager
    app.kubernetes.io/part-of: dynamo-operator
    control-plane: controller-manager
    {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
spec:
  replicas: {{ $operator.controllerManager.replicas }}
  strategy: {type: Recreate}
  selector:
    matchLabels:
      control-plane: controller-manager
      {{- include "dynamo-platform.operatorSelector" . | nindent 6 }}
  template:
    metadata:
      labels:
        control-plane: controller-manager
        {{- include "dynamo-platform.operatorSelector" . | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: manager
        checksum/config: {{ include (print .Template.BasePath "/config.tpl") . | sha256sum }}
    spec:
      {{- with $operator.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $operator.controllerManager.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $operator.controllerManager.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      serviceAccountName: {{ $name }}-controller-manager
      terminationGracePeriodSeconds: 30
      securityContext: {runAsNonRoot: true}
      {{- if $operator.upgradeCRD }}
      initContainers:
        - name: crd-apply
          image: {{ $image }}
          imagePullPolicy: {{ $manager.image.pullPolicy }}
          command: [/crd-apply]
          args: [--crds-dir=/opt/dynamo-operator/crds/, --version={{ .Chart.AppVersion }}]
      {{- end }}
      containers:
        - name: manager
          image: {{ $image }}
          imagePullPolicy: {{ $manager.image.pullPolicy }}
          command: [/manager]
          args: [--config=/etc/dynamo-operator/config.yaml, --operator-version={{ .Chart.AppVersion }}]
          ports: [{name: metrics, containerPort: 8080}, {name: webhook-server, containerPort: 9443}]
          livenessProbe: {httpGet: {path: /healthz, port: 8081}, initialDelaySeconds: 15, periodSeconds: 20}
          readinessProbe: {httpGet: {path: /readyz, port: 8081}, initialDelaySeconds: 5, periodSeconds: 10}
          resources: {{- toYaml $manager.resources | nindent 12 }}
          volumeMounts:
            - {name: operator-config, mountPath: /etc/dynamo-operator, readOnly: true}
            - {name: cert, mountPath: /etc/webhook-server, readOnly: true}
      volumes:
        - name: operator-config
          configMap: {name: {{ $name }}-config}
        - name: cert
          secret: {secretName: {{ $operator.webhook.certificateSecret.name }}, optional: true}
{{- if and $operator.dynamo.dockerRegistry.useKubernetesSecret (not $operator.dynamo.dockerRegistry.existingSecretName) }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}-regcred
  labels: {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
type: kubernetes.io/dockerconfigjson
data:
  {{- $registry := $operator.dynamo.dockerRegistry }}
  {{- $server := required "docker registry server is required" $registry.server }}
  {{- $entry := dict "username" $registry.username "password" $registry.password }}
  .dockerconfigjson: {{ dict "auths" (dict $server $entry) | toJson | b64enc }}
{{- end }}
{{- end }}
