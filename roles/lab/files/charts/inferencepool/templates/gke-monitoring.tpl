{{- $prometheus := .Values.inferenceExtension.monitoring.prometheus }}
{{- if and (include "pool.isGke" .) $prometheus.enabled $prometheus.auth.enabled }}
{{- $reader := print .Release.Name "-metrics-reader" }}
{{- $clusterReader := printf "%s-%s" .Release.Namespace $reader }}
{{- $collectorNamespace := (.Values.provider.gke | default dict).autopilot | ternary "gke-gmp-system" "gmp-system" }}
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ $reader }}-sa, namespace: {{ .Release.Namespace }}}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  {{- include "pool.metadata" (list . (print $reader "-secret")) | nindent 2 }}
  annotations:
    kubernetes.io/service-account.name: {{ $reader }}-sa
---
apiVersion: monitoring.googleapis.com/v1
kind: PodMonitoring
metadata:
  {{- include "pool.metadata" (list . .Release.Name) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "pool.selector" . | nindent 6 }}
  endpoints:
    - port: metrics
      scheme: http
      path: /metrics
      interval: {{ .Values.inferenceExtension.monitoring.interval }}
      authorization:
        type: Bearer
        credentials: {secret: {name: {{ $reader }}-secret, key: token}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: {{ $clusterReader }}}
rules:
  - nonResourceURLs: [/metrics]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: {{ $clusterReader }}-role-binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $clusterReader }}}
subjects:
  - {kind: ServiceAccount, name: {{ $reader }}-sa, namespace: {{ .Release.Namespace }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ $reader }}-secret-read}
rules:
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: [{{ $reader }}-secret]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ printf "%s:collector:%s-secret-read" $collectorNamespace $clusterReader | quote }}
  namespace: {{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $reader }}-secret-read}
subjects:
  - {kind: ServiceAccount, name: collector, namespace: {{ $collectorNamespace }}}
{{- end }}
