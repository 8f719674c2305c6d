/**
 * The fields of the kinds that networking rests on, by the types of the API reference (Kubernetes 1.36): what a mapping may hold.
 * A field whose type is listed too has it after `=`; of all others (maps, status, volume sources) nothing below is looked at.
 */
const TABLE = `
  Service: metadata=ObjectMeta spec=ServiceSpec status
  ObjectMeta: annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName generation labels
    managedFields name namespace ownerReferences=OwnerReference resourceVersion selfLink uid
  OwnerReference: apiVersion blockOwnerDeletion controller kind name uid
  ServiceSpec: allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy healthCheckNodePort
    internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP loadBalancerSourceRanges ports=ServicePort
    publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig=SessionAffinityConfig trafficDistribution type
  ServicePort: appProtocol name nodePort port protocol targetPort
  SessionAffinityConfig: clientIP=ClientIPConfig
  ClientIPConfig: timeoutSeconds
  Ingress: metadata=ObjectMeta spec=IngressSpec status
  IngressSpec: defaultBackend=IngressBackend ingressClassName rules=IngressRule tls=IngressTLS
  IngressBackend: resource=TypedLocalObjectReference service=IngressServiceBackend
  TypedLocalObjectReference: apiGroup kind name
  IngressServiceBackend: name port=ServiceBackendPort
  ServiceBackendPort: name number
  IngressRule: host http=HTTPIngressRuleValue
  HTTPIngressRuleValue: paths=HTTPIngressPath
  HTTPIngressPath: backend=IngressBackend path pathType
  IngressTLS: hosts secretName
  IngressClass: metadata=ObjectMeta spec=IngressClassSpec
  IngressClassSpec: controller parameters=IngressClassParametersReference
  IngressClassParametersReference: apiGroup kind name namespace scope
  NetworkPolicy: metadata=ObjectMeta spec=NetworkPolicySpec status
  NetworkPolicySpec: egress=NetworkPolicyEgressRule ingress=NetworkPolicyIngressRule podSelector=LabelSelector policyTypes
  NetworkPolicyEgressRule: ports=NetworkPolicyPort to=NetworkPolicyPeer
  NetworkPolicyPort: endPort port protocol
  NetworkPolicyPeer: ipBlock=IPBlock namespaceSelector=LabelSelector podSelector=LabelSelector
  IPBlock: cidr except
  LabelSelector: matchExpressions=LabelSelectorRequirement matchLabels
  LabelSelectorRequirement: key operator values
  NetworkPolicyIngressRule: from=NetworkPolicyPeer ports=NetworkPolicyPort
  Endpoints: metadata=ObjectMeta subsets=EndpointSubset
  EndpointSubset: addresses=EndpointAddress notReadyAddresses=EndpointAddress ports=EndpointPort
  EndpointAddress: hostname ip nodeName targetRef=ObjectReference
  ObjectReference: apiVersion fieldPath kind name namespace resourceVersion uid
  EndpointSlice: addressType endpoints=Endpoint metadata=ObjectMeta ports=EndpointPort
  Endpoint: addresses conditions=EndpointConditions deprecatedTopology hints=EndpointHints hostname nodeName targetRef=ObjectReference
    zone
  EndpointConditions: ready serving terminating
  EndpointHints: forNodes=ForNode forZones=ForZone
  ForNode: name
  ForZone: name
  Pod: metadata=ObjectMeta spec=PodSpec status
  PodSpec: activeDeadlineSeconds affinity=Affinity automountServiceAccountToken containers=Container dnsConfig=PodDNSConfig dnsPolicy
    enableServiceLinks ephemeralContainers=EphemeralContainer hostAliases=HostAlias hostIPC hostNetwork hostPID hostUsers hostname
    hostnameOverride imagePullSecrets=LocalObjectReference initContainers=Container nodeName nodeSelector os=PodOS overhead
    preemptionPolicy priority priorityClassName readinessGates=PodReadinessGate resourceClaims=PodResourceClaim
    resources=ResourceRequirements restartPolicy runtimeClassName schedulerName schedulingGates=PodSchedulingGate
    schedulingGroup=PodSchedulingGroup securityContext=PodSecurityContext serviceAccount serviceAccountName setHostnameAsFQDN
    shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations=Toleration
    topologySpreadConstraints=TopologySpreadConstraint volumes=Volume
  Affinity: nodeAffinity=NodeAffinity podAffinity=PodAffinity podAntiAffinity=PodAntiAffinity
  NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution=PreferredSchedulingTerm
    requiredDuringSchedulingIgnoredDuringExecution=NodeSelector
  PreferredSchedulingTerm: preference=NodeSelectorTerm weight
  NodeSelectorTerm: matchExpressions=NodeSelectorRequirement matchFields=NodeSelectorRequirement
  NodeSelectorRequirement: key operator values
  NodeSelector: nodeSelectorTerms=NodeSelectorTerm
  PodAffinity: preferredDuringSchedulingIgnoredDuringExecution=WeightedPodAffinityTerm
    requiredDuringSchedulingIgnoredDuringExecution=PodAffinityTerm
  WeightedPodAffinityTerm: podAffinityTerm=PodAffinityTerm weight
  PodAffinityTerm: labelSelector=LabelSelector matchLabelKeys mismatchLabelKeys namespaceSelector=LabelSelector namespaces topologyKey
  PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution=WeightedPodAffinityTerm
    requiredDuringSchedulingIgnoredDuringExecution=PodAffinityTerm
  Container: args command env=EnvVar envFrom=EnvFromSource image imagePullPolicy lifecycle=Lifecycle livenessProbe=Probe name
    ports=ContainerPort readinessProbe=Probe resizePolicy=ContainerResizePolicy resources=ResourceRequirements restartPolicy
    restartPolicyRules securityContext=SecurityContext startupProbe=Probe stdin stdinOnce terminationMessagePath terminationMessagePolicy
    tty volumeDevices=VolumeDevice volumeMounts=VolumeMount workingDir
  EnvVar: name value valueFrom=EnvVarSource
  EnvVarSource: configMapKeyRef=ConfigMapKeySelector fieldRef=ObjectFieldSelector fileKeyRef=FileKeySelector
    resourceFieldRef=ResourceFieldSelector secretKeyRef=SecretKeySelector
  ConfigMapKeySelector: key name optional
  ObjectFieldSelector: apiVersion fieldPath
  FileKeySelector: key optional path volumeName
  ResourceFieldSelector: containerName divisor resource
  SecretKeySelector: key name optional
  EnvFromSource: configMapRef=ConfigMapEnvSource prefix secretRef=SecretEnvSource
  ConfigMapEnvSource: name optional
  SecretEnvSource: name optional
  Lifecycle: postStart=LifecycleHandler preStop=LifecycleHandler stopSignal
  LifecycleHandler: exec=ExecAction httpGet=HTTPGetAction sleep=SleepAction tcpSocket=TCPSocketAction
  ExecAction: command
  HTTPGetAction: host httpHeaders=HTTPHeader path port scheme
  HTTPHeader: name value
  SleepAction: seconds
  TCPSocketAction: host port
  Probe: exec=ExecAction failureThreshold grpc=GRPCAction httpGet=HTTPGetAction initialDelaySeconds periodSeconds successThreshold
    tcpSocket=TCPSocketAction terminationGracePeriodSeconds timeoutSeconds
  GRPCAction: port service
  ContainerPort: containerPort hostIP hostPort name protocol
  ContainerResizePolicy: resourceName restartPolicy
  ResourceRequirements: claims=ResourceClaim limits requests
  ResourceClaim: name request
  SecurityContext: allowPrivilegeEscalation appArmorProfile=AppArmorProfile capabilities=Capabilities privileged procMount
    readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile=SeccompProfile windowsOptions
  AppArmorProfile: localhostProfile type
  Capabilities: add drop
  SeccompProfile: localhostProfile type
  VolumeDevice: devicePath name
  VolumeMount: mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr
  PodDNSConfig: nameservers options=PodDNSConfigOption searches
  PodDNSConfigOption: name value
  EphemeralContainer: args command env=EnvVar envFrom=EnvFromSource image imagePullPolicy lifecycle=Lifecycle livenessProbe=Probe name
    ports=ContainerPort readinessProbe=Probe resizePolicy=ContainerResizePolicy resources=ResourceRequirements restartPolicy
    restartPolicyRules securityContext=SecurityContext startupProbe=Probe stdin stdinOnce targetContainerName terminationMessagePath
    terminationMessagePolicy tty volumeDevices=VolumeDevice volumeMounts=VolumeMount workingDir
  HostAlias: hostnames ip
  LocalObjectReference: name
  PodOS: name
  PodReadinessGate: conditionType
  PodResourceClaim: name resourceClaimName resourceClaimTemplateName
  PodSchedulingGate: name
  PodSchedulingGroup: podGroupName
  PodSecurityContext: appArmorProfile=AppArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seLinuxChangePolicy
    seLinuxOptions seccompProfile=SeccompProfile supplementalGroups supplementalGroupsPolicy sysctls=Sysctl windowsOptions
  Sysctl: name value
  Toleration: effect key operator tolerationSeconds value
  TopologySpreadConstraint: labelSelector=LabelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy topologyKey
    whenUnsatisfiable
  Volume: awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker
    gcePersistentDisk gitRepo glusterfs hostPath image iscsi name nfs persistentVolumeClaim photonPersistentDisk portworxVolume projected
    quobyte rbd scaleIO secret storageos vsphereVolume
  Deployment: metadata=ObjectMeta spec=DeploymentSpec status
  DeploymentSpec: minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector=LabelSelector
    strategy=DeploymentStrategy template=PodTemplateSpec
  DeploymentStrategy: rollingUpdate=RollingUpdateDeployment type
  RollingUpdateDeployment: maxSurge maxUnavailable
  PodTemplateSpec: metadata=ObjectMeta spec=PodSpec
  ReplicaSet: metadata=ObjectMeta spec=ReplicaSetSpec status
  ReplicaSetSpec: minReadySeconds replicas selector=LabelSelector template=PodTemplateSpec
  ReplicationController: metadata=ObjectMeta spec=ReplicationControllerSpec status
  ReplicationControllerSpec: minReadySeconds replicas selector template=PodTemplateSpec
  StatefulSet: metadata=ObjectMeta spec=StatefulSetSpec status
  StatefulSetSpec: minReadySeconds ordinals=StatefulSetOrdinals
    persistentVolumeClaimRetentionPolicy=StatefulSetPersistentVolumeClaimRetentionPolicy podManagementPolicy replicas revisionHistoryLimit
    selector=LabelSelector serviceName template=PodTemplateSpec updateStrategy=StatefulSetUpdateStrategy volumeClaimTemplates
  StatefulSetOrdinals: start
  StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted whenScaled
  StatefulSetUpdateStrategy: rollingUpdate=RollingUpdateStatefulSetStrategy type
  RollingUpdateStatefulSetStrategy: maxUnavailable partition
  DaemonSet: metadata=ObjectMeta spec=DaemonSetSpec status
  DaemonSetSpec: minReadySeconds revisionHistoryLimit selector=LabelSelector template=PodTemplateSpec
    updateStrategy=DaemonSetUpdateStrategy
  DaemonSetUpdateStrategy: rollingUpdate=RollingUpdateDaemonSet type
  RollingUpdateDaemonSet: maxSurge maxUnavailable
  Job: metadata=ObjectMeta spec=JobSpec status
  JobSpec: activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy manualSelector maxFailedIndexes
    parallelism podFailurePolicy podReplacementPolicy selector=LabelSelector successPolicy suspend template=PodTemplateSpec
    ttlSecondsAfterFinished
  CronJob: metadata=ObjectMeta spec=CronJobSpec status
  CronJobSpec: concurrencyPolicy failedJobsHistoryLimit jobTemplate=JobTemplateSpec schedule startingDeadlineSeconds
    successfulJobsHistoryLimit suspend timeZone
  JobTemplateSpec: metadata=ObjectMeta spec=JobSpec
  Namespace: metadata=ObjectMeta spec=NamespaceSpec status
  NamespaceSpec: finalizers
  Node: metadata=ObjectMeta spec=NodeSpec status
  NodeSpec: configSource externalID podCIDR podCIDRs providerID taints=Taint unschedulable
  Taint: effect key timeAdded value
  EndpointPort: appProtocol name port protocol
`;

/** Served by other releases, or behind a gate: known, though not in the reference. */
const ALSO: ReadonlyMap<string, readonly string[]> = new Map([
  ["ObjectMeta", ["clusterName"]], // until 1.23
  ["ServiceSpec", ["ipFamily"]], // 1.16 to 1.19
  ["PodSpec", ["workloadRef"]], // 1.35
]);

type Fields = ReadonlyMap<string, string | undefined>; // a field's name, and its type where that is listed

const TYPES: ReadonlyMap<string, Fields> = new Map(
  TABLE.split(/\n {2}(?=\w)/)
    .slice(1)
    .map((entry): [string, Fields] => {
      const [type = "", words = ""] = entry.split(":");
      const fields = words
        .trim()
        .split(/\s+/)
        .map((word): [string, string | undefined] => {
          const [name = "", typeOfField] = word.split("=");
          return [name, typeOfField];
        });
      return [type, new Map([...fields, ...(ALSO.get(type) ?? []).map((name): [string, undefined] => [name, undefined])])];
    }),
);

const OBJECT: readonly [string, undefined][] = [
  ["apiVersion", undefined],
  ["kind", undefined],
];

/** What an object of that kind may hold at its top; undefined when the kind is not listed. */
export function fieldsOfKind(kind: string): Fields | undefined {
  const own = TYPES.get(kind);
  return own && new Map([...OBJECT, ...own]);
}

/** What a mapping of that type may hold. */
export const fieldsOfType = (type: string): Fields | undefined => TYPES.get(type);
