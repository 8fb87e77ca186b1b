{{- if .Values.grove.enabled }}{{ fail "grove.enabled: the lab's chart has no Grove" }}{{ end }}
{{- if (index .Values "kai-scheduler").enabled }}{{ fail "kai-scheduler.enabled: the lab's chart has no KAI scheduler" }}{{ end }}
{{- $operator := index .Values "dynamo-operator" }}
{{- if $operator.enabled }}
{{- $name := include "dynamo-platform.operator" . }}
{{- $manager := $operator.controllerManager.manager }}
{{- $proxy := $operator.controllerManager.kubeRbacProxy }}
{{- $restricted := include "dynamo-platform.restrictedNamespace" . }}
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
      terminationGracePeriodSeconds: 10
      securityContext: {runAsNonRoot: true}
      containers:
        - name: kube-rbac-proxy
          image: {{ $proxy.image.repository }}:{{ $proxy.image.tag }}
          args: {{- toYaml $proxy.args | nindent 12 }}
          ports: [{name: https, containerPort: 8443, protocol: TCP}]
          resources: {{- toYaml $proxy.resources | nindent 12 }}
        - name: manager
          image: {{ $manager.image.repository }}:{{ default .Chart.AppVersion $manager.image.tag }}
          imagePullPolicy: {{ $manager.image.pullPolicy }}
          command: [/manager]
          args:
            {{- toYaml $manager.args | nindent 12 }}
            {{- if $restricted }}
            - --restrictedNamespace={{ $restricted }}
            - --leader-elect=false
            {{- else }}
            - --leader-elect
            - --leader-election-id=dynamo.nvidia.com
            {{- end }}
            - --natsAddr={{ default (printf "nats://%s-nats.%s:4222" .Release.Name .Release.Namespace) $operator.natsAddr }}
            - --etcdAddr={{ default (printf "%s-etcd.%s:2379" .Release.Name .Release.Namespace) $operator.etcdAddr }}
            {{- if and $operator.dynamo.istio.enabled $operator.dynamo.istio.gateway }}
            - --istio-virtual-service-gateway={{ $operator.dynamo.istio.gateway }}
            {{- end }}
            {{- if and $operator.dynamo.ingress.enabled $operator.dynamo.ingress.className }}
            - --ingress-controller-class-name={{ $operator.dynamo.ingress.className }}
            - --ingress-controller-tls-secret-name={{ $operator.dynamo.ingress.tlsSecretName }}
            {{- end }}
            {{- with $operator.dynamo.ingressHostSuffix }}
            - --ingress-host-suffix={{ . }}
            {{- end }}
            {{- with $operator.dynamo.virtualServiceSupportsHTTPS }}
            - --virtual-service-supports-https={{ . }}
            {{- end }}
            {{- with $operator.dynamo.groveTerminationDelay }}
            - --grove-termination-delay={{ . }}
            {{- end }}
            {{- with $operator.modelExpressURL }}
            - --model-express-url={{ . }}
            {{- end }}
            {{- if semverCompare ">=0.8.0-0" .Chart.AppVersion }}
            - --discovery-backend={{ $operator.discoveryBackend }}
            - --operator-version={{ default .Chart.AppVersion $manager.image.tag }}
            {{- end }}
          envFrom: [{secretRef: {name: dynamo-deployment-env}}]
          livenessProbe: {httpGet: {path: /healthz, port: 8081}, initialDelaySeconds: 15, periodSeconds: 20}
          readinessProbe: {httpGet: {path: /readyz, port: 8081}, initialDelaySeconds: 5, periodSeconds: 10}
          resources: {{- toYaml $manager.resources | nindent 12 }}
---
apiVersion: v1
kind: Secret
metadata:
  name: dynamo-deployment-env
  labels: {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
stringData:
  DOCKER_REGISTRY_SERVER: {{ $operator.dynamo.dockerRegistry.server | quote }}
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
