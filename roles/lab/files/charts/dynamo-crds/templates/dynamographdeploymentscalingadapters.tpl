# Made by tests/dynamo_crds.py.
{{- if semverCompare ">=0.8.1-0" .Chart.Version }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dynamographdeploymentscalingadapters.nvidia.com
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: nvidia.com
  names:
    kind: DynamoGraphDeploymentScalingAdapter
    listKind: DynamoGraphDeploymentScalingAdapterList
    plural: dynamographdeploymentscalingadapters
    singular: dynamographdeploymentscalingadapter
    shortNames: [dgdsa]
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      subresources:
        status: {}
        scale: {labelSelectorPath: .status.selector, specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              properties:
                dgdRef:
                  type: object
                  properties:
                    name: {type: string}
                    serviceName: {type: string}
                  required: [name, serviceName]
                replicas: {type: integer, minimum: 0}
              required: [dgdRef, replicas]
            status:
              type: object
              properties:
                lastScaleTime: {type: string}
                replicas: {type: integer}
                selector: {type: string}
{{- end }}
