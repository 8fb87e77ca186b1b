{{- $epp := include "pool.epp" . }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "pool.metadata" (list . $epp) | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "pool.metadata" (list . $epp) | nindent 2 }}
rules:
  - apiGroups: [inference.networking.x-k8s.io]
    resources: [inferenceobjectives, inferencemodelrewrites]
    verbs: [get, watch, list]
  - apiGroups: [{{ include "pool.group" . }}]
    resources: [inferencepools]
    verbs: [get, watch, list]
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, watch, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $epp }}
  namespace: {{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $epp }}}
subjects:
  - {kind: ServiceAccount, name: {{ $epp }}, namespace: {{ .Release.Namespace }}}
{{- if gt (int .Values.inferenceExtension.replicas) 1 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "pool.metadata" (list . (print $epp "-leader-election")) | nindent 2 }}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [""]
    resources: [events]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $epp }}-leader-election-binding
  namespace: {{ .Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $epp }}-leader-election}
subjects:
  - {kind: ServiceAccount, name: {{ $epp }}, namespace: {{ .Release.Namespace }}}
{{- end }}
