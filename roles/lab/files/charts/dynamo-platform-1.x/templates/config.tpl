{{- $operator := index .Values "dynamo-operator" }}
{{- if not (has $operator.discoveryBackend (list "kubernetes" "etcd")) }}
{{- fail (printf "discoveryBackend must be kubernetes or etcd, not %q" $operator.discoveryBackend) }}
{{- end }}
{{- if $operator.enabled }}
{{- $restricted := include "dynamo-platform.restrictedNamespace" . }}
{{- $nats := $operator.nats.enabled | ternary (printf "nats://%s-nats.%s.svc.cluster.local:4222" .Release.Name .Release.Namespace) "" }}
{{- $etcd := .Values.global.etcd.install | ternary (printf "%s-etcd.%s.svc.cluster.local:2379" .Release.Name .Release.Namespace) "" }}
{{- $places := dict "natsAddress" (default $nats $operator.natsAddr) "etcdAddress" (default $etcd $operator.etcdAddr) }}
{{- $_ := set $places "modelExpressURL" $operator.modelExpressURL }}
{{- $_ := set $places "prometheusEndpoint" $operator.dynamo.metrics.prometheusEndpoint }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "dynamo-platform.operator" . }}-config
  labels: {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
data:
  config.yaml: |
    apiVersion: operator.config.dynamo.nvidia.com/v1alpha1
    kind: OperatorConfiguration
    server:
      webhook:
        certProvisionMode: {{ or $operator.webhook.certManager.enabled $operator.webhook.certificateSecret.external | ternary "manual" "auto" }}
        secretName: {{ $operator.webhook.certificateSecret.name }}
        serviceName: {{ include "dynamo-platform.operator" . }}-webhook-service
    leaderElection:
      enabled: true
      id: {{ default "dynamo.nvidia.com" $operator.controllerManager.leaderElection.id }}
      namespace: {{ default (default "kube-system" $operator.controllerManager.leaderElection.namespace) $restricted }}
    {{- if $restricted }}
    namespace:
      restricted: {{ $restricted }}
      scope:
        leaseDuration: {{ $operator.namespaceRestriction.lease.duration }}
        leaseRenewInterval: {{ $operator.namespaceRestriction.lease.renewInterval }}
    gpu:
      discoveryEnabled: {{ $operator.gpuDiscovery.enabled }}
    {{- end }}
    orchestrators:
      grove:
        enabled: false
        terminationDelay: {{ $operator.dynamo.groveTerminationDelay }}
      kaiScheduler:
        enabled: false
    infrastructure:
      {{- range $key, $value := $places }}
      {{- with $value }}
      {{ $key }}: {{ . | quote }}
      {{- end }}
      {{- end }}
    {{- $ingress := $operator.dynamo.ingress.enabled | ternary $operator.dynamo.ingress (dict) }}
    ingress:
      controllerClassName: {{ default "" $ingress.className | quote }}
      controllerTLSSecretName: {{ default "" $ingress.tlsSecretName | quote }}
      hostSuffix: {{ $operator.dynamo.ingressHostSuffix | quote }}
      virtualServiceGateway: {{ $operator.dynamo.istio.enabled | ternary $operator.dynamo.istio.gateway "" | quote }}
    mpi:
      sshSecretName: {{ $operator.dynamo.mpiRun.secretName }}
      sshSecretNamespace: {{ .Release.Namespace }}
    {{- if ne $operator.discoveryBackend "kubernetes" }}
    discovery:
      backend: {{ $operator.discoveryBackend }}
    {{- end }}
{{- end }}
