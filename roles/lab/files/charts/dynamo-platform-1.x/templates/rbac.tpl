{{- $operator := index .Values "dynamo-operator" }}
{{- if $operator.enabled }}
{{- $name := include "dynamo-platform.operator" . }}
{{- $scope := include "dynamo-platform.restrictedNamespace" . | empty | ternary "Cluster" "" }}
{{- $labels := include "dynamo-platform.operatorLabels" . }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}-controller-manager
  labels: {{- $labels | nindent 4 }}
  {{- with $operator.controllerManager.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}-component
  labels:
    nvidia.com/dynamo-component-pod: "true"
    {{- $labels | nindent 4 }}
  {{- with $operator.dynamo.components.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: planner-serviceaccount
  labels: {{- $labels | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $scope }}Role
metadata:
  name: {{ $name }}-manager-role
  labels: {{- $labels | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [configmaps, endpoints, events, persistentvolumeclaims, pods, secrets, serviceaccounts, services]
    verbs: [create, delete, get, list, patch, update, watch]
  - apiGroups: [apps]
    resources: [deployments, statefulsets]
    verbs: [create, delete, get, list, patch, update, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [get, list, watch]
  - apiGroups: [rbac.authorization.k8s.io]
    resources: [roles, rolebindings]
    verbs: [create, delete, get, list, patch, update, watch]
  - apiGroups: [nvidia.com]
    resources: ["*"]
    verbs: [create, delete, get, list, patch, update, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $scope }}RoleBinding
metadata:
  name: {{ $name }}-manager-rolebinding
  labels: {{- $labels | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $scope }}Role
  name: {{ $name }}-manager-role
subjects:
  - kind: ServiceAccount
    name: {{ $name }}-controller-manager
    namespace: {{ .Release.Namespace }}
{{- end }}
