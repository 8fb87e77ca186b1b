# Made by tests/dynamo_crds.py.
{{- if semverCompare ">=0.7.0-0" .Chart.Version }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dynamographdeployments.nvidia.com
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: nvidia.com
  names:
    kind: DynamoGraphDeployment
    listKind: DynamoGraphDeploymentList
    plural: dynamographdeployments
    singular: dynamographdeployment
    shortNames: [dgd]
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
                backendFramework:
                  type: string
                  enum: [sglang, vllm, trtllm]
                envs:
                  type: array
                  items: &id001
                    type: object
                    properties:
                      name: {type: string}
                      value: {type: string}
                      valueFrom:
                        type: object
                        properties:
                          configMapKeyRef:
                            type: object
                            properties:
                              key: {type: string}
                              name: {type: string}
                              optional: {type: boolean}
                            required: [key]
                          secretKeyRef:
                            type: object
                            properties:
                              key: {type: string}
                              name: {type: string}
                              optional: {type: boolean}
                            required: [key]
                          fieldRef:
                            type: object
                            properties:
                              apiVersion: {type: string}
                              fieldPath: {type: string}
                            required: [fieldPath]
                          resourceFieldRef:
                            type: object
                            properties:
                              containerName: {type: string}
                              resource: {type: string}
                              divisor:
                                anyOf:
                                  - {type: integer}
                                  - {type: string}
                                x-kubernetes-int-or-string: true
                            required: [resource]
                    required: [name]
                pvcs:
                  type: array
                  items:
                    type: object
                    properties:
                      name: {type: string}
                      storageClass: {type: string}
                      volumeAccessMode: {type: string}
                      create: {type: boolean}
                      size:
                        anyOf:
                          - {type: integer}
                          - {type: string}
                        x-kubernetes-int-or-string: true
                    required: [name]
                restart:
                  type: object
                  properties:
                    id: {type: string}
                    strategy:
                      type: object
                      properties:
                        order:
                          type: array
                          items: {type: string}
                        type:
                          type: string
                          enum: [Sequential, Parallel]
                  required: [id]
                services:
                  type: object
                  additionalProperties:
                    type: object
                    properties:
                      annotations:
                        type: object
                        additionalProperties: {type: string}
                      labels:
                        type: object
                        additionalProperties: {type: string}
                      autoscaling:
                        type: object
                        properties:
                          enabled: {type: boolean}
                          maxReplicas: {type: integer}
                          minReplicas: {type: integer}
                          behavior: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          metrics:
                            type: array
                            items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                      componentType: {type: string}
                      dynamoNamespace: {type: string}
                      envFromSecret: {type: string}
                      serviceName: {type: string}
                      envs:
                        type: array
                        items: *id001
                      extraPodMetadata:
                        type: object
                        properties:
                          annotations:
                            type: object
                            additionalProperties: {type: string}
                          labels:
                            type: object
                            additionalProperties: {type: string}
                      extraPodSpec:
                        type: object
                        properties:
                          mainContainer:
                            type: object
                            properties: &id003
                              args:
                                type: array
                                items: {type: string}
                              command:
                                type: array
                                items: {type: string}
                              env:
                                type: array
                                items: *id001
                              envFrom:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    configMapRef:
                                      type: object
                                      properties:
                                        name: {type: string}
                                        optional: {type: boolean}
                                    prefix: {type: string}
                                    secretRef:
                                      type: object
                                      properties:
                                        name: {type: string}
                                        optional: {type: boolean}
                              image: {type: string}
                              imagePullPolicy: {type: string}
                              name: {type: string}
                              restartPolicy: {type: string}
                              terminationMessagePath: {type: string}
                              terminationMessagePolicy: {type: string}
                              workingDir: {type: string}
                              lifecycle: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              securityContext: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              livenessProbe: &id002
                                type: object
                                properties:
                                  exec:
                                    type: object
                                    properties:
                                      command:
                                        type: array
                                        items: {type: string}
                                  grpc:
                                    type: object
                                    properties:
                                      port: {type: integer}
                                      service: {type: string}
                                    required: [port]
                                  httpGet:
                                    type: object
                                    properties:
                                      host: {type: string}
                                      path: {type: string}
                                      scheme: {type: string}
                                      port:
                                        anyOf:
                                          - {type: integer}
                                          - {type: string}
                                        x-kubernetes-int-or-string: true
                                      httpHeaders:
                                        type: array
                                        items:
                                          type: object
                                          properties:
                                            name: {type: string}
                                            value: {type: string}
                                          required: [name, value]
                                    required: [port]
                                  tcpSocket:
                                    type: object
                                    properties:
                                      host: {type: string}
                                      port:
                                        anyOf:
                                          - {type: integer}
                                          - {type: string}
                                        x-kubernetes-int-or-string: true
                                    required: [port]
                                  failureThreshold: {type: integer}
                                  initialDelaySeconds: {type: integer}
                                  periodSeconds: {type: integer}
                                  successThreshold: {type: integer}
                                  timeoutSeconds: {type: integer}
                                  terminationGracePeriodSeconds: {type: integer}
                              readinessProbe: *id002
                              startupProbe: *id002
                              ports:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    containerPort: {type: integer}
                                    hostPort: {type: integer}
                                    hostIP: {type: string}
                                    name: {type: string}
                                    protocol: {type: string}
                                  required: [containerPort]
                              resizePolicy:
                                type: array
                                items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              resources:
                                type: object
                                properties:
                                  claims:
                                    type: array
                                    items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                  limits:
                                    type: object
                                    additionalProperties:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                                  requests:
                                    type: object
                                    additionalProperties:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                              stdin: {type: boolean}
                              stdinOnce: {type: boolean}
                              tty: {type: boolean}
                              volumeDevices:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    devicePath: {type: string}
                                    name: {type: string}
                                  required: [devicePath, name]
                              volumeMounts:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    mountPath: {type: string}
                                    mountPropagation: {type: string}
                                    name: {type: string}
                                    recursiveReadOnly: {type: string}
                                    subPath: {type: string}
                                    subPathExpr: {type: string}
                                    readOnly: {type: boolean}
                                  required: [mountPath, name]
                          containers: &id004
                            type: array
                            items:
                              type: object
                              properties: *id003
                              required: [name]
                          initContainers: *id004
                          ephemeralContainers:
                            type: array
                            items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          volumes:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                                configMap:
                                  type: object
                                  properties:
                                    name: {type: string}
                                    items: &id005
                                      type: array
                                      items:
                                        type: object
                                        properties:
                                          key: {type: string}
                                          path: {type: string}
                                          mode: {type: integer}
                                        required: [key, path]
                                    defaultMode: {type: integer}
                                    optional: {type: boolean}
                                secret:
                                  type: object
                                  properties:
                                    secretName: {type: string}
                                    items: *id005
                                    defaultMode: {type: integer}
                                    optional: {type: boolean}
                                emptyDir:
                                  type: object
                                  properties:
                                    medium: {type: string}
                                    sizeLimit:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                                hostPath:
                                  type: object
                                  properties:
                                    path: {type: string}
                                    type: {type: string}
                                  required: [path]
                                nfs:
                                  type: object
                                  properties:
                                    path: {type: string}
                                    server: {type: string}
                                    readOnly: {type: boolean}
                                  required: [path, server]
                                persistentVolumeClaim:
                                  type: object
                                  properties:
                                    claimName: {type: string}
                                    readOnly: {type: boolean}
                                  required: [claimName]
                                awsElasticBlockStore: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                azureDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                azureFile: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                cephfs: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                cinder: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                csi: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                downwardAPI: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                ephemeral: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                fc: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                flexVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                flocker: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                gcePersistentDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                gitRepo: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                glusterfs: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                image: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                iscsi: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                photonPersistentDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                portworxVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                projected: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                quobyte: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                rbd: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                scaleIO: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                storageos: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                vsphereVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              required: [name]
                          affinity:
                            type: object
                            properties:
                              nodeAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              podAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              podAntiAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          nodeSelector:
                            type: object
                            additionalProperties: {type: string}
                          tolerations:
                            type: array
                            items:
                              type: object
                              properties:
                                effect: {type: string}
                                key: {type: string}
                                operator: {type: string}
                                value: {type: string}
                                tolerationSeconds: {type: integer}
                          topologySpreadConstraints:
                            type: array
                            items:
                              type: object
                              properties:
                                maxSkew: {type: integer}
                                minDomains: {type: integer}
                                nodeAffinityPolicy: {type: string}
                                nodeTaintsPolicy: {type: string}
                                topologyKey: {type: string}
                                whenUnsatisfiable: {type: string}
                                labelSelector: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                matchLabelKeys:
                                  type: array
                                  items: {type: string}
                              required: [maxSkew, topologyKey, whenUnsatisfiable]
                          imagePullSecrets:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                          hostAliases:
                            type: array
                            items:
                              type: object
                              properties:
                                hostnames:
                                  type: array
                                  items: {type: string}
                                ip: {type: string}
                              required: [ip]
                          dnsConfig: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          os:
                            type: object
                            properties:
                              name: {type: string}
                            required: [name]
                          overhead:
                            type: object
                            additionalProperties:
                              anyOf:
                                - {type: integer}
                                - {type: string}
                              x-kubernetes-int-or-string: true
                          readinessGates:
                            type: array
                            items:
                              type: object
                              properties:
                                conditionType: {type: string}
                              required: [conditionType]
                          resourceClaims:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                                resourceClaimName: {type: string}
                                resourceClaimTemplateName: {type: string}
                              required: [name]
                          resources: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          schedulingGates:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                              required: [name]
                          securityContext: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          activeDeadlineSeconds: {type: integer}
                          priority: {type: integer}
                          terminationGracePeriodSeconds: {type: integer}
                          automountServiceAccountToken: {type: boolean}
                          enableServiceLinks: {type: boolean}
                          hostIPC: {type: boolean}
                          hostNetwork: {type: boolean}
                          hostPID: {type: boolean}
                          hostUsers: {type: boolean}
                          setHostnameAsFQDN: {type: boolean}
                          shareProcessNamespace: {type: boolean}
                          dnsPolicy: {type: string}
                          hostname: {type: string}
                          nodeName: {type: string}
                          preemptionPolicy: {type: string}
                          priorityClassName: {type: string}
                          restartPolicy: {type: string}
                          runtimeClassName: {type: string}
                          schedulerName: {type: string}
                          serviceAccount: {type: string}
                          serviceAccountName: {type: string}
                          subdomain: {type: string}
                      ingress:
                        type: object
                        properties:
                          annotations:
                            type: object
                            additionalProperties: {type: string}
                          labels:
                            type: object
                            additionalProperties: {type: string}
                          enabled: {type: boolean}
                          useVirtualService: {type: boolean}
                          host: {type: string}
                          hostPrefix: {type: string}
                          hostSuffix: {type: string}
                          ingressControllerClassName: {type: string}
                          virtualServiceGateway: {type: string}
                          tls:
                            type: object
                            properties:
                              secretName: {type: string}
                      livenessProbe: *id002
                      readinessProbe: *id002
                      multinode:
                        type: object
                        properties:
                          nodeCount: {type: integer, minimum: 2}
                        required: [nodeCount]
                      replicas: {type: integer, minimum: 0}
                      resources:
                        type: object
                        properties:
                          limits: &id006
                            type: object
                            properties:
                              cpu: {type: string}
                              gpu: {type: string}
                              memory: {type: string}
                              custom:
                                type: object
                                additionalProperties: {type: string}
                          requests: *id006
                      sharedMemory:
                        type: object
                        properties:
                          disabled: {type: boolean}
                          size:
                            anyOf:
                              - {type: integer}
                              - {type: string}
                            x-kubernetes-int-or-string: true
                      globalDynamoNamespace: {type: boolean}
                      modelRef:
                        type: object
                        properties:
                          name: {type: string}
                          revision: {type: string}
                        required: [name]
                      scalingAdapter:
                        type: object
                        properties:
                          enabled: {type: boolean}
                      subComponentType: {type: string}
                      volumeMounts:
                        type: array
                        items:
                          type: object
                          properties:
                            mountPoint: {type: string}
                            name: {type: string}
                            useAsCompilationCache: {type: boolean}
                          required: [name]
            status:
              type: object
              properties:
                conditions:
                  type: array
                  items:
                    type: object
                    properties:
                      message: {type: string}
                      reason: {type: string}
                      type: {type: string}
                      lastTransitionTime: {type: string, format: date-time}
                      observedGeneration: {type: integer, format: int64}
                      status:
                        type: string
                        enum: ['True', 'False', Unknown]
                    required: [lastTransitionTime, message, reason, status, type]
                services:
                  type: object
                  additionalProperties:
                    type: object
                    properties:
                      availableReplicas: {type: integer}
                      readyReplicas: {type: integer}
                      replicas: {type: integer}
                      updatedReplicas: {type: integer}
                      componentKind:
                        type: string
                        enum: [PodClique, PodCliqueScalingGroup, Deployment, LeaderWorkerSet]
                      componentName: {type: string}
                      componentNames:
                        type: array
                        items: {type: string}
                restart: {type: object, x-kubernetes-preserve-unknown-fields: true}
                state: {type: string}
{{- else }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dynamographdeployments.nvidia.com
  annotations: {helm.sh/resource-policy: keep}
spec:
  group: nvidia.com
  names:
    kind: DynamoGraphDeployment
    listKind: DynamoGraphDeploymentList
    plural: dynamographdeployments
    singular: dynamographdeployment
    shortNames: [dgd]
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
                backendFramework:
                  type: string
                  enum: [sglang, vllm, trtllm]
                envs:
                  type: array
                  items: &id001
                    type: object
                    properties:
                      name: {type: string}
                      value: {type: string}
                      valueFrom:
                        type: object
                        properties:
                          configMapKeyRef:
                            type: object
                            properties:
                              key: {type: string}
                              name: {type: string}
                              optional: {type: boolean}
                            required: [key]
                          secretKeyRef:
                            type: object
                            properties:
                              key: {type: string}
                              name: {type: string}
                              optional: {type: boolean}
                            required: [key]
                          fieldRef:
                            type: object
                            properties:
                              apiVersion: {type: string}
                              fieldPath: {type: string}
                            required: [fieldPath]
                          resourceFieldRef:
                            type: object
                            properties:
                              containerName: {type: string}
                              resource: {type: string}
                              divisor:
                                anyOf:
                                  - {type: integer}
                                  - {type: string}
                                x-kubernetes-int-or-string: true
                            required: [resource]
                    required: [name]
                dynamoGraph: {type: string}
                services:
                  type: object
                  additionalProperties:
                    type: object
                    properties:
                      annotations:
                        type: object
                        additionalProperties: {type: string}
                      labels:
                        type: object
                        additionalProperties: {type: string}
                      autoscaling:
                        type: object
                        properties:
                          enabled: {type: boolean}
                          maxReplicas: {type: integer}
                          minReplicas: {type: integer}
                          behavior: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          metrics:
                            type: array
                            items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                      componentType: {type: string}
                      dynamoNamespace: {type: string}
                      envFromSecret: {type: string}
                      serviceName: {type: string}
                      envs:
                        type: array
                        items: *id001
                      extraPodMetadata:
                        type: object
                        properties:
                          annotations:
                            type: object
                            additionalProperties: {type: string}
                          labels:
                            type: object
                            additionalProperties: {type: string}
                      extraPodSpec:
                        type: object
                        properties:
                          mainContainer:
                            type: object
                            properties: &id003
                              args:
                                type: array
                                items: {type: string}
                              command:
                                type: array
                                items: {type: string}
                              env:
                                type: array
                                items: *id001
                              envFrom:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    configMapRef:
                                      type: object
                                      properties:
                                        name: {type: string}
                                        optional: {type: boolean}
                                    prefix: {type: string}
                                    secretRef:
                                      type: object
                                      properties:
                                        name: {type: string}
                                        optional: {type: boolean}
                              image: {type: string}
                              imagePullPolicy: {type: string}
                              name: {type: string}
                              restartPolicy: {type: string}
                              terminationMessagePath: {type: string}
                              terminationMessagePolicy: {type: string}
                              workingDir: {type: string}
                              lifecycle: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              securityContext: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              livenessProbe: &id002
                                type: object
                                properties:
                                  exec:
                                    type: object
                                    properties:
                                      command:
                                        type: array
                                        items: {type: string}
                                  grpc:
                                    type: object
                                    properties:
                                      port: {type: integer}
                                      service: {type: string}
                                    required: [port]
                                  httpGet:
                                    type: object
                                    properties:
                                      host: {type: string}
                                      path: {type: string}
                                      scheme: {type: string}
                                      port:
                                        anyOf:
                                          - {type: integer}
                                          - {type: string}
                                        x-kubernetes-int-or-string: true
                                      httpHeaders:
                                        type: array
                                        items:
                                          type: object
                                          properties:
                                            name: {type: string}
                                            value: {type: string}
                                          required: [name, value]
                                    required: [port]
                                  tcpSocket:
                                    type: object
                                    properties:
                                      host: {type: string}
                                      port:
                                        anyOf:
                                          - {type: integer}
                                          - {type: string}
                                        x-kubernetes-int-or-string: true
                                    required: [port]
                                  failureThreshold: {type: integer}
                                  initialDelaySeconds: {type: integer}
                                  periodSeconds: {type: integer}
                                  successThreshold: {type: integer}
                                  timeoutSeconds: {type: integer}
                                  terminationGracePeriodSeconds: {type: integer}
                              readinessProbe: *id002
                              startupProbe: *id002
                              ports:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    containerPort: {type: integer}
                                    hostPort: {type: integer}
                                    hostIP: {type: string}
                                    name: {type: string}
                                    protocol: {type: string}
                                  required: [containerPort]
                              resizePolicy:
                                type: array
                                items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              resources:
                                type: object
                                properties:
                                  claims:
                                    type: array
                                    items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                  limits:
                                    type: object
                                    additionalProperties:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                                  requests:
                                    type: object
                                    additionalProperties:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                              stdin: {type: boolean}
                              stdinOnce: {type: boolean}
                              tty: {type: boolean}
                              volumeDevices:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    devicePath: {type: string}
                                    name: {type: string}
                                  required: [devicePath, name]
                              volumeMounts:
                                type: array
                                items:
                                  type: object
                                  properties:
                                    mountPath: {type: string}
                                    mountPropagation: {type: string}
                                    name: {type: string}
                                    recursiveReadOnly: {type: string}
                                    subPath: {type: string}
                                    subPathExpr: {type: string}
                                    readOnly: {type: boolean}
                                  required: [mountPath, name]
                          containers: &id004
                            type: array
                            items:
                              type: object
                              properties: *id003
                              required: [name]
                          initContainers: *id004
                          ephemeralContainers:
                            type: array
                            items: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          volumes:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                                configMap:
                                  type: object
                                  properties:
                                    name: {type: string}
                                    items: &id005
                                      type: array
                                      items:
                                        type: object
                                        properties:
                                          key: {type: string}
                                          path: {type: string}
                                          mode: {type: integer}
                                        required: [key, path]
                                    defaultMode: {type: integer}
                                    optional: {type: boolean}
                                secret:
                                  type: object
                                  properties:
                                    secretName: {type: string}
                                    items: *id005
                                    defaultMode: {type: integer}
                                    optional: {type: boolean}
                                emptyDir:
                                  type: object
                                  properties:
                                    medium: {type: string}
                                    sizeLimit:
                                      anyOf:
                                        - {type: integer}
                                        - {type: string}
                                      x-kubernetes-int-or-string: true
                                hostPath:
                                  type: object
                                  properties:
                                    path: {type: string}
                                    type: {type: string}
                                  required: [path]
                                nfs:
                                  type: object
                                  properties:
                                    path: {type: string}
                                    server: {type: string}
                                    readOnly: {type: boolean}
                                  required: [path, server]
                                persistentVolumeClaim:
                                  type: object
                                  properties:
                                    claimName: {type: string}
                                    readOnly: {type: boolean}
                                  required: [claimName]
                                awsElasticBlockStore: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                azureDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                azureFile: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                cephfs: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                cinder: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                csi: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                downwardAPI: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                ephemeral: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                fc: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                flexVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                flocker: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                gcePersistentDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                gitRepo: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                glusterfs: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                image: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                iscsi: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                photonPersistentDisk: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                portworxVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                projected: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                quobyte: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                rbd: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                scaleIO: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                storageos: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                vsphereVolume: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              required: [name]
                          affinity:
                            type: object
                            properties:
                              nodeAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              podAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                              podAntiAffinity: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          nodeSelector:
                            type: object
                            additionalProperties: {type: string}
                          tolerations:
                            type: array
                            items:
                              type: object
                              properties:
                                effect: {type: string}
                                key: {type: string}
                                operator: {type: string}
                                value: {type: string}
                                tolerationSeconds: {type: integer}
                          topologySpreadConstraints:
                            type: array
                            items:
                              type: object
                              properties:
                                maxSkew: {type: integer}
                                minDomains: {type: integer}
                                nodeAffinityPolicy: {type: string}
                                nodeTaintsPolicy: {type: string}
                                topologyKey: {type: string}
                                whenUnsatisfiable: {type: string}
                                labelSelector: {type: object, x-kubernetes-preserve-unknown-fields: true}
                                matchLabelKeys:
                                  type: array
                                  items: {type: string}
                              required: [maxSkew, topologyKey, whenUnsatisfiable]
                          imagePullSecrets:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                          hostAliases:
                            type: array
                            items:
                              type: object
                              properties:
                                hostnames:
                                  type: array
                                  items: {type: string}
                                ip: {type: string}
                              required: [ip]
                          dnsConfig: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          os:
                            type: object
                            properties:
                              name: {type: string}
                            required: [name]
                          overhead:
                            type: object
                            additionalProperties:
                              anyOf:
                                - {type: integer}
                                - {type: string}
                              x-kubernetes-int-or-string: true
                          readinessGates:
                            type: array
                            items:
                              type: object
                              properties:
                                conditionType: {type: string}
                              required: [conditionType]
                          resourceClaims:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                                resourceClaimName: {type: string}
                                resourceClaimTemplateName: {type: string}
                              required: [name]
                          resources: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          schedulingGates:
                            type: array
                            items:
                              type: object
                              properties:
                                name: {type: string}
                              required: [name]
                          securityContext: {type: object, x-kubernetes-preserve-unknown-fields: true}
                          activeDeadlineSeconds: {type: integer}
                          priority: {type: integer}
                          terminationGracePeriodSeconds: {type: integer}
                          automountServiceAccountToken: {type: boolean}
                          enableServiceLinks: {type: boolean}
                          hostIPC: {type: boolean}
                          hostNetwork: {type: boolean}
                          hostPID: {type: boolean}
                          hostUsers: {type: boolean}
                          setHostnameAsFQDN: {type: boolean}
                          shareProcessNamespace: {type: boolean}
                          dnsPolicy: {type: string}
                          hostname: {type: string}
                          nodeName: {type: string}
                          preemptionPolicy: {type: string}
                          priorityClassName: {type: string}
                          restartPolicy: {type: string}
                          runtimeClassName: {type: string}
                          schedulerName: {type: string}
                          serviceAccount: {type: string}
                          serviceAccountName: {type: string}
                          subdomain: {type: string}
                      ingress:
                        type: object
                        properties:
                          annotations:
                            type: object
                            additionalProperties: {type: string}
                          labels:
                            type: object
                            additionalProperties: {type: string}
                          enabled: {type: boolean}
                          useVirtualService: {type: boolean}
                          host: {type: string}
                          hostPrefix: {type: string}
                          hostSuffix: {type: string}
                          ingressControllerClassName: {type: string}
                          virtualServiceGateway: {type: string}
                          tls:
                            type: object
                            properties:
                              secretName: {type: string}
                      livenessProbe: *id002
                      readinessProbe: *id002
                      multinode:
                        type: object
                        properties:
                          nodeCount: {type: integer, minimum: 2}
                        required: [nodeCount]
                      replicas: {type: integer, minimum: 0}
                      resources:
                        type: object
                        properties:
                          limits: &id006
                            type: object
                            properties:
                              cpu: {type: string}
                              gpu: {type: string}
                              memory: {type: string}
                              custom:
                                type: object
                                additionalProperties: {type: string}
                          requests: *id006
                      sharedMemory:
                        type: object
                        properties:
                          disabled: {type: boolean}
                          size:
                            anyOf:
                              - {type: integer}
                              - {type: string}
                            x-kubernetes-int-or-string: true
                      pvc:
                        type: object
                        properties:
                          name: {type: string}
                          storageClass: {type: string}
                          volumeAccessMode: {type: string}
                          create: {type: boolean}
                          size:
                            anyOf:
                              - {type: integer}
                              - {type: string}
                            x-kubernetes-int-or-string: true
                          mountPoint: {type: string}
            status:
              type: object
              properties:
                conditions:
                  type: array
                  items:
                    type: object
                    properties:
                      message: {type: string}
                      reason: {type: string}
                      type: {type: string}
                      lastTransitionTime: {type: string, format: date-time}
                      observedGeneration: {type: integer, format: int64}
                      status:
                        type: string
                        enum: ['True', 'False', Unknown]
                    required: [lastTransitionTime, message, reason, status, type]
                state: {type: string}
{{- end }}
