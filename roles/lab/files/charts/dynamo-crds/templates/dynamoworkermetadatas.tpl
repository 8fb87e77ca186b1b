# Made by tests/dynamo_crds.py.
{{- if semverCompare ">=0.8.0-0" .Chart.Version }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dynamoworkermetadatas.nvidia.com
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: nvidia.com
  names:
    kind: DynamoWorkerMetadata
    listKind: DynamoWorkerMetadataList
    plural: dynamoworkermetadatas
    singular: dynamoworkermetadata
    shortNames: [dwm]
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      additionalPrinterColumns:
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
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
                data: {type: object, x-kubernetes-preserve-unknown-fields: true}
              required: [data]
{{- end }}
