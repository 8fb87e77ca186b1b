{{- with .Values.router.monitoring }}
{{- if .prometheus.enabled }}
{{- $epp := include "router.epp" $ }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "router.clusterName" $ }}
  labels:
    {{- include "router.labels" $ | nindent 4 }}
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
  name: {{ include "router.clusterName" $ }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ include "router.clusterName" $ }}}
subjects:
  - {kind: ServiceAccount, name: {{ $epp }}, namespace: {{ $.Release.Namespace }}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "router.metadata" (list $ (print $epp "-monitor")) | nindent 2 }}
    {{- with .prometheus.extraLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  jobLabel: {{ $epp }}
  namespaceSelector:
    matchNames: [{{ $.Release.Namespace }}]
  selector:
    matchLabels:
      {{- include "router.labels" $ | nindent 6 }}
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
  {{- include "router.metadata" (list $ .prometheus.auth.secretName) | nindent 2 }}
  annotations:
    kubernetes.io/service-account.name: {{ $epp }}
{{- end }}
{{- end }}
{{- end }}
