{{- with .Values.inferenceExtension.monitoring }}
{{- if .prometheus.enabled }}
{{- $epp := include "pool.epp" $ }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "pool.clusterName" $ }}
  labels:
    {{- include "pool.labels" $ | nindent 4 }}
rules:
  - apiGroups: [authentication.k8s.io]
    resources: [tokenreviews]
    verbs: [create]
  - apiGroups: [authorization.k8s.io]
    resources: [subjectaccessreviews]
    verbs: [create]
  - nonResourceURLs: [/metrics]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "pool.clusterName" $ }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ include "pool.clusterName" $ }}}
subjects:
  - {kind: ServiceAccount, name: {{ $epp }}, namespace: {{ $.Release.Namespace }}}
{{- if not (include "pool.isGke" $) }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "pool.metadata" (list $ (print $epp "-monitor")) | nindent 2 }}
    {{- with .prometheus.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: {{ $epp }}
  namespaceSelector:
    matchNames: [{{ $.Release.Namespace }}]
  selector:
    matchLabels:
      {{- include "pool.labels" $ | nindent 6 }}
  endpoints:
    - port: http-metrics
      path: /metrics
      interval: {{ .interval }}
      {{- if .prometheus.auth.enabled }}
      authorization:
        credentials: {name: {{ .prometheus.auth.secretName }}, key: token}
      {{- end }}
{{- if .prometheus.auth.enabled }}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  {{- include "pool.metadata" (list $ .prometheus.auth.secretName) | nindent 2 }}
  annotations:
    kubernetes.io/service-account.name: {{ $epp }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
