# Made by tests/dynamo_crds.py.
{{- if semverCompare ">=0.7.0-0" .Chart.Version }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dynamomodels.nvidia.com
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: nvidia.com
  names:
    kind: DynamoModel
    listKind: DynamoModelList
    plural: dynamomodels
    singular: dynamomodel
    shortNames: [dm]
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      subresources:
        status: {}
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
                baseModelName: {type: string}
                modelName: {type: string}
                modelType: {type: string}
                source: {type: object, x-kubernetes-preserve-unknown-fields: true}
              required: [baseModelName, modelName]
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
{{- end }}
