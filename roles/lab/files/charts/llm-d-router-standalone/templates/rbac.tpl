{{- $epp := include "router.epp" . }}
{{- $roles := list "sa" }}
{{- if ne .Values.router.inferencePool.create false }}{{ $roles = append $roles "non-sa" }}{{ end }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "router.metadata" (list . $epp) | nindent 2 }}
{{- range $name := $roles }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "router.metadata" (list $ (print $epp "-" $name)) | nindent 2 }}
rules:
  {{- if eq $name "sa" }}
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, watch, list]
  {{- if gt (int $.Values.router.epp.replicas) 1 }}
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [""]
    resources: [events]
    verbs: [create, patch]
  {{- end }}
  {{- else }}
  - apiGroups: [inference.networking.x-k8s.io, llm-d.ai]
    resources: [inferenceobjectives, inferencemodelrewrites]
    verbs: [get, watch, list]
  - apiGroups: [inference.networking.k8s.io]
    resources: [inferencepools]
    verbs: [get, watch, list]
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $epp }}-{{ $name }}
  namespace: {{ $.Release.Namespace }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $epp }}-{{ $name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $epp }}, namespace: {{ $.Release.Namespace }}}
{{- end }}
