# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The models of a pod's specification: their fields and types, as the Kubernetes client of release 1.37 has them.

The client takes a quarter of a second of each run to build them. A test compares them with the client that is pinned
for tests, and says what to write here where they differ.
"""

from __future__ import annotations

# A model, then its fields with their types.
TEXT = """\
V1PodSpec activeDeadlineSeconds:int affinity:V1Affinity automountServiceAccountToken:bool containers:List[V1Container]
  dnsConfig:V1PodDNSConfig dnsPolicy:str enableServiceLinks:bool ephemeralContainers:List[V1EphemeralContainer]
  evictionResponders:List[V1EvictionResponder] hostAliases:List[V1HostAlias] hostIPC:bool hostNetwork:bool
  hostPID:bool hostUsers:bool hostname:str hostnameOverride:str imagePullSecrets:List[V1LocalObjectReference]
  initContainers:List[V1Container] nodeName:str nodeSelector:Dict[str,str] os:V1PodOS overhead:Dict[str,str]
  preemptionPolicy:str priority:int priorityClassName:str readinessGates:List[V1PodReadinessGate]
  resourceClaims:List[V1PodResourceClaim] resources:V1ResourceRequirements restartPolicy:str runtimeClassName:str
  schedulerName:str schedulingGates:List[V1PodSchedulingGate] schedulingGroup:V1PodSchedulingGroup
  securityContext:V1PodSecurityContext serviceAccount:str serviceAccountName:str setHostnameAsFQDN:bool
  shareProcessNamespace:bool subdomain:str terminationGracePeriodSeconds:int tolerations:List[V1Toleration]
  topologySpreadConstraints:List[V1TopologySpreadConstraint] volumes:List[V1Volume]
V1Affinity nodeAffinity:V1NodeAffinity podAffinity:V1PodAffinity podAntiAffinity:V1PodAntiAffinity
V1NodeAffinity preferredDuringSchedulingIgnoredDuringExecution:List[V1PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution:V1NodeSelector
V1PreferredSchedulingTerm preference:V1NodeSelectorTerm weight:int
V1NodeSelectorTerm matchExpressions:List[V1NodeSelectorRequirement] matchFields:List[V1NodeSelectorRequirement]
V1NodeSelectorRequirement key:str operator:str values:List[str]
V1NodeSelector nodeSelectorTerms:List[V1NodeSelectorTerm]
V1PodAffinity preferredDuringSchedulingIgnoredDuringExecution:List[V1WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:List[V1PodAffinityTerm]
V1WeightedPodAffinityTerm podAffinityTerm:V1PodAffinityTerm weight:int
V1PodAffinityTerm labelSelector:V1LabelSelector matchLabelKeys:List[str] mismatchLabelKeys:List[str]
  namespaceSelector:V1LabelSelector namespaces:List[str] topologyKey:str
V1LabelSelector matchExpressions:List[V1LabelSelectorRequirement] matchLabels:Dict[str,str]
V1LabelSelectorRequirement key:str operator:str values:List[str]
V1PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution:List[V1WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:List[V1PodAffinityTerm]
V1Container args:List[str] command:List[str] env:List[V1EnvVar] envFrom:List[V1EnvFromSource] image:str
  imagePullPolicy:str lifecycle:V1Lifecycle livenessProbe:V1Probe name:str ports:List[V1ContainerPort]
  readinessProbe:V1Probe resizePolicy:List[V1ContainerResizePolicy] resources:V1ResourceRequirements restartPolicy:str
  restartPolicyRules:List[V1ContainerRestartRule] securityContext:V1SecurityContext startupProbe:V1Probe stdin:bool
  stdinOnce:bool terminationMessagePath:str terminationMessagePolicy:str tty:bool volumeDevices:List[V1VolumeDevice]
  volumeMounts:List[V1VolumeMount] workingDir:str
V1EnvVar name:str value:str valueFrom:V1EnvVarSource
V1EnvVarSource configMapKeyRef:V1ConfigMapKeySelector fieldRef:V1ObjectFieldSelector fileKeyRef:V1FileKeySelector
  resourceFieldRef:V1ResourceFieldSelector secretKeyRef:V1SecretKeySelector
V1ConfigMapKeySelector key:str name:str optional:bool
V1ObjectFieldSelector apiVersion:str fieldPath:str
V1FileKeySelector key:str optional:bool path:str volumeName:str
V1ResourceFieldSelector containerName:str divisor:str resource:str
V1SecretKeySelector key:str name:str optional:bool
V1EnvFromSource configMapRef:V1ConfigMapEnvSource prefix:str secretRef:V1SecretEnvSource
V1ConfigMapEnvSource name:str optional:bool
V1SecretEnvSource name:str optional:bool
V1Lifecycle postStart:V1LifecycleHandler preStop:V1LifecycleHandler stopSignal:str
V1LifecycleHandler exec:V1ExecAction httpGet:V1HTTPGetAction sleep:V1SleepAction tcpSocket:V1TCPSocketAction
V1ExecAction command:List[str]
V1HTTPGetAction host:str httpHeaders:List[V1HTTPHeader] path:str port:object protocol:str scheme:str
V1HTTPHeader name:str value:str
V1SleepAction seconds:int
V1TCPSocketAction host:str port:object
V1Probe exec:V1ExecAction failureThreshold:int grpc:V1GRPCAction httpGet:V1HTTPGetAction initialDelaySeconds:int
  periodSeconds:int successThreshold:int tcpSocket:V1TCPSocketAction terminationGracePeriodSeconds:int
  timeoutSeconds:int
V1GRPCAction mode:str port:int service:str
V1ContainerPort containerPort:int hostIP:str hostPort:int name:str protocol:str
V1ContainerResizePolicy resourceName:str restartPolicy:str
V1ResourceRequirements claims:List[CoreV1ResourceClaim] limits:Dict[str,str] requests:Dict[str,str]
CoreV1ResourceClaim name:str request:str
V1ContainerRestartRule action:str exitCodes:V1ContainerRestartRuleOnExitCodes
V1ContainerRestartRuleOnExitCodes operator:str values:List[int]
V1SecurityContext allowPrivilegeEscalation:bool appArmorProfile:V1AppArmorProfile capabilities:V1Capabilities
  privileged:bool procMount:str readOnlyRootFilesystem:bool runAsGroup:int runAsNonRoot:bool runAsUser:int
  seLinuxOptions:V1SELinuxOptions seccompProfile:V1SeccompProfile windowsOptions:V1WindowsSecurityContextOptions
V1AppArmorProfile localhostProfile:str type:str
V1Capabilities add:List[str] drop:List[str]
V1SELinuxOptions level:str role:str type:str user:str
V1SeccompProfile localhostProfile:str type:str
V1WindowsSecurityContextOptions gmsaCredentialSpec:str gmsaCredentialSpecName:str hostProcess:bool runAsUserName:str
V1VolumeDevice devicePath:str name:str
V1VolumeMount bindMountOptions:List[str] mountPath:str mountPropagation:str name:str readOnly:bool
  recursiveReadOnly:str subPath:str subPathExpr:str
V1PodDNSConfig nameservers:List[str] options:List[V1PodDNSConfigOption] searches:List[str]
V1PodDNSConfigOption name:str value:str
V1EphemeralContainer args:List[str] command:List[str] env:List[V1EnvVar] envFrom:List[V1EnvFromSource] image:str
  imagePullPolicy:str lifecycle:V1Lifecycle livenessProbe:V1Probe name:str ports:List[V1ContainerPort]
  readinessProbe:V1Probe resizePolicy:List[V1ContainerResizePolicy] resources:V1ResourceRequirements restartPolicy:str
  restartPolicyRules:List[V1ContainerRestartRule] securityContext:V1SecurityContext startupProbe:V1Probe stdin:bool
  stdinOnce:bool targetContainerName:str terminationMessagePath:str terminationMessagePolicy:str tty:bool
  volumeDevices:List[V1VolumeDevice] volumeMounts:List[V1VolumeMount] workingDir:str
V1EvictionResponder name:str priority:int
V1HostAlias hostnames:List[str] ip:str
V1LocalObjectReference name:str
V1PodOS name:str
V1PodReadinessGate conditionType:str
V1PodResourceClaim name:str resourceClaimName:str resourceClaimTemplateName:str
V1PodSchedulingGate name:str
V1PodSchedulingGroup podGroupName:str
V1PodSecurityContext appArmorProfile:V1AppArmorProfile fsGroup:int fsGroupChangePolicy:str runAsGroup:int
  runAsNonRoot:bool runAsUser:int seLinuxChangePolicy:str seLinuxOptions:V1SELinuxOptions
  seccompProfile:V1SeccompProfile supplementalGroups:List[int] supplementalGroupsPolicy:str sysctls:List[V1Sysctl]
  windowsOptions:V1WindowsSecurityContextOptions
V1Sysctl name:str value:str
V1Toleration effect:str key:str operator:str tolerationSeconds:int value:str
V1TopologySpreadConstraint labelSelector:V1LabelSelector matchLabelKeys:List[str] maxSkew:int minDomains:int
  nodeAffinityPolicy:str nodeTaintsPolicy:str topologyKey:str whenUnsatisfiable:str
V1Volume awsElasticBlockStore:V1AWSElasticBlockStoreVolumeSource azureDisk:V1AzureDiskVolumeSource
  azureFile:V1AzureFileVolumeSource cephfs:V1CephFSVolumeSource cinder:V1CinderVolumeSource
  configMap:V1ConfigMapVolumeSource csi:V1CSIVolumeSource downwardAPI:V1DownwardAPIVolumeSource
  emptyDir:V1EmptyDirVolumeSource ephemeral:V1EphemeralVolumeSource fc:V1FCVolumeSource flexVolume:V1FlexVolumeSource
  flocker:V1FlockerVolumeSource gcePersistentDisk:V1GCEPersistentDiskVolumeSource gitRepo:V1GitRepoVolumeSource
  glusterfs:V1GlusterfsVolumeSource hostPath:V1HostPathVolumeSource image:V1ImageVolumeSource
  iscsi:V1ISCSIVolumeSource name:str nfs:V1NFSVolumeSource persistentVolumeClaim:V1PersistentVolumeClaimVolumeSource
  photonPersistentDisk:V1PhotonPersistentDiskVolumeSource portworxVolume:V1PortworxVolumeSource
  projected:V1ProjectedVolumeSource quobyte:V1QuobyteVolumeSource rbd:V1RBDVolumeSource scaleIO:V1ScaleIOVolumeSource
  secret:V1SecretVolumeSource storageos:V1StorageOSVolumeSource vsphereVolume:V1VsphereVirtualDiskVolumeSource
V1AWSElasticBlockStoreVolumeSource fsType:str partition:int readOnly:bool volumeID:str
V1AzureDiskVolumeSource cachingMode:str diskName:str diskURI:str fsType:str kind:str readOnly:bool
V1AzureFileVolumeSource readOnly:bool secretName:str shareName:str
V1CephFSVolumeSource monitors:List[str] path:str readOnly:bool secretFile:str secretRef:V1LocalObjectReference
  user:str
V1CinderVolumeSource fsType:str readOnly:bool secretRef:V1LocalObjectReference volumeID:str
V1ConfigMapVolumeSource defaultMode:int defaultUser:int items:List[V1KeyToPath] name:str optional:bool
V1KeyToPath key:str mode:int path:str user:int
V1CSIVolumeSource driver:str fsType:str nodePublishSecretRef:V1LocalObjectReference readOnly:bool
  volumeAttributes:Dict[str,str]
V1DownwardAPIVolumeSource defaultMode:int defaultUser:int items:List[V1DownwardAPIVolumeFile]
V1DownwardAPIVolumeFile fieldRef:V1ObjectFieldSelector mode:int path:str resourceFieldRef:V1ResourceFieldSelector
  user:int
V1EmptyDirVolumeSource medium:str mode:int sizeLimit:str
V1EphemeralVolumeSource volumeClaimTemplate:V1PersistentVolumeClaimTemplate
V1PersistentVolumeClaimTemplate metadata:V1ObjectMeta spec:V1PersistentVolumeClaimSpec
V1ObjectMeta annotations:Dict[str,str] creationTimestamp:datetime deletionGracePeriodSeconds:int
  deletionTimestamp:datetime finalizers:List[str] generateName:str generation:int labels:Dict[str,str]
  managedFields:List[V1ManagedFieldsEntry] name:str namespace:str ownerReferences:List[V1OwnerReference]
  resourceVersion:str selfLink:str uid:str
V1ManagedFieldsEntry apiVersion:str fieldsType:str fieldsV1:object manager:str operation:str subresource:str
  time:datetime
V1OwnerReference apiVersion:str blockOwnerDeletion:bool controller:bool kind:str name:str uid:str
V1PersistentVolumeClaimSpec accessModes:List[str] dataSource:V1TypedLocalObjectReference
  dataSourceRef:V1TypedObjectReference resources:V1VolumeResourceRequirements selector:V1LabelSelector
  storageClassName:str volumeAttributesClassName:str volumeMode:str volumeName:str
V1TypedLocalObjectReference apiGroup:str kind:str name:str
V1TypedObjectReference apiGroup:str kind:str name:str namespace:str
V1VolumeResourceRequirements limits:Dict[str,str] requests:Dict[str,str]
V1FCVolumeSource fsType:str lun:int readOnly:bool targetWWNs:List[str] wwids:List[str]
V1FlexVolumeSource driver:str fsType:str options:Dict[str,str] readOnly:bool secretRef:V1LocalObjectReference
V1FlockerVolumeSource datasetName:str datasetUUID:str
V1GCEPersistentDiskVolumeSource fsType:str partition:int pdName:str readOnly:bool
V1GitRepoVolumeSource directory:str repository:str revision:str
V1GlusterfsVolumeSource endpoints:str path:str readOnly:bool
V1HostPathVolumeSource path:str type:str
V1ImageVolumeSource pullPolicy:str reference:str
V1ISCSIVolumeSource chapAuthDiscovery:bool chapAuthSession:bool fsType:str initiatorName:str iqn:str
  iscsiInterface:str lun:int portals:List[str] readOnly:bool secretRef:V1LocalObjectReference targetPortal:str
V1NFSVolumeSource path:str readOnly:bool server:str
V1PersistentVolumeClaimVolumeSource claimName:str readOnly:bool
V1PhotonPersistentDiskVolumeSource fsType:str pdID:str
V1PortworxVolumeSource fsType:str readOnly:bool volumeID:str
V1ProjectedVolumeSource defaultMode:int defaultUser:int sources:List[V1VolumeProjection]
V1VolumeProjection clusterTrustBundle:V1ClusterTrustBundleProjection configMap:V1ConfigMapProjection
  downwardAPI:V1DownwardAPIProjection podCertificate:V1PodCertificateProjection secret:V1SecretProjection
  serviceAccountToken:V1ServiceAccountTokenProjection
V1ClusterTrustBundleProjection labelSelector:V1LabelSelector name:str optional:bool path:str signerName:str user:int
V1ConfigMapProjection items:List[V1KeyToPath] name:str optional:bool
V1DownwardAPIProjection items:List[V1DownwardAPIVolumeFile]
V1PodCertificateProjection certificateChainPath:str credentialBundlePath:str keyPath:str keyType:str
  maxExpirationSeconds:int signerName:str user:int userAnnotations:Dict[str,str]
V1SecretProjection items:List[V1KeyToPath] name:str optional:bool
V1ServiceAccountTokenProjection audience:str expirationSeconds:int path:str user:int
V1QuobyteVolumeSource group:str readOnly:bool registry:str tenant:str user:str volume:str
V1RBDVolumeSource fsType:str image:str keyring:str monitors:List[str] pool:str readOnly:bool
  secretRef:V1LocalObjectReference user:str
V1ScaleIOVolumeSource fsType:str gateway:str protectionDomain:str readOnly:bool secretRef:V1LocalObjectReference
  sslEnabled:bool storageMode:str storagePool:str system:str volumeName:str
V1SecretVolumeSource defaultMode:int defaultUser:int items:List[V1KeyToPath] optional:bool secretName:str
V1StorageOSVolumeSource fsType:str readOnly:bool secretRef:V1LocalObjectReference volumeName:str volumeNamespace:str
V1VsphereVirtualDiskVolumeSource fsType:str storagePolicyID:str storagePolicyName:str volumePath:str
"""


def _read() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    model = ""
    for word in TEXT.split():
        field, colon, kind = word.partition(":")
        if colon:
            found[model][field] = kind
        else:
            model = word
            found[model] = {}
    return found


# Types of fields by model.
MODELS = _read()
