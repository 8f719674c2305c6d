/** Which kinds are read, which are passed over, and which were probably meant. Groups and versions as `kubectl api-resources` lists them. */
import { nearest, quote } from "./words.ts";

/** The kinds of objects/api.ts, with the apiVersions in which Kubernetes has ever served them; today's first. */
const READ: ReadonlyMap<string, readonly string[]> = new Map([
  ["Pod", ["v1"]],
  ["Deployment", ["apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"]],
  ["ReplicaSet", ["apps/v1", "apps/v1beta2", "extensions/v1beta1"]],
  ["ReplicationController", ["v1"]],
  ["StatefulSet", ["apps/v1", "apps/v1beta2", "apps/v1beta1"]],
  ["DaemonSet", ["apps/v1", "apps/v1beta2", "extensions/v1beta1"]],
  ["Job", ["batch/v1", "extensions/v1beta1"]],
  ["CronJob", ["batch/v1", "batch/v1beta1", "batch/v2alpha1"]],
  ["Service", ["v1"]],
  ["Endpoints", ["v1"]],
  ["EndpointSlice", ["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1", "discovery.k8s.io/v1alpha1"]],
  ["Ingress", ["networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"]],
  ["IngressClass", ["networking.k8s.io/v1", "networking.k8s.io/v1beta1"]],
  ["NetworkPolicy", ["networking.k8s.io/v1", "extensions/v1beta1"]],
  ["Namespace", ["v1"]],
  ["Node", ["v1"]],
  ["ConfigMap", ["v1"]],
  ["ResourceQuota", ["v1"]],
  ["LimitRange", ["v1"]],
]);
const CLUSTER_SCOPED = new Set(["Namespace", "Node", "IngressClass"]);

/** Kinds of Kubernetes' own groups that make no packet go another way: never taken for a misspelled one. */
const OTHER_KINDS = new Set(
  `Secret ServiceAccount PersistentVolume PersistentVolumeClaim Event Binding ComponentStatus PodTemplate
  ControllerRevision HorizontalPodAutoscaler Role RoleBinding ClusterRole ClusterRoleBinding StorageClass VolumeAttachment
  VolumeAttributesClass CSIDriver CSINode CSIStorageCapacity PriorityClass RuntimeClass Lease LeaseCandidate PodDisruptionBudget
  PodSecurityPolicy CustomResourceDefinition APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration
  ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
  CertificateSigningRequest ClusterTrustBundle FlowSchema PriorityLevelConfiguration TokenReview TokenRequest SubjectAccessReview
  SelfSubjectAccessReview LocalSubjectAccessReview ServiceCIDR IPAddress ResourceClaim ResourceClaimTemplate DeviceClass
  ResourceSlice Eviction Scale Status PodPreset Kustomization Component Config ClusterConfiguration InitConfiguration
  JoinConfiguration KubeProxyConfiguration KubeletConfiguration`.split(/\s+/),
);

/** Groups whose kinds decide about packets, but are not modelled (yet). */
const NETWORKING_GROUPS =
  /^(?:networking\.k8s\.io|policy\.networking\.k8s\.io|gateway\.networking\.k8s\.io|discovery\.k8s\.io|multicluster\.x-k8s\.io|k8s\.cni\.cncf\.io|(?:.+\.)?projectcalico\.org|cilium\.io|metallb\.io|networking\.istio\.io|kubeovn\.io|traefik\.(?:io|containo\.us)|projectcontour\.io|configuration\.konghq\.com|submariner\.io|antrea\.io|crd\.antrea\.io|whereabouts\.cni\.cncf\.io)$/;

export type Judgement =
  | { readonly kind: "read" }
  | { readonly kind: "topology" }
  | { readonly kind: "expectations" } // what `ktrace test` reads
  | { readonly kind: "kube-proxy" } // its own configuration, which is no API object
  | { readonly kind: "setting" } // read for what it says of the cluster; not an object of the model
  | { readonly kind: "noted" } // kept as it was written, for rules of lint that others refer to it from
  | { readonly kind: "skip" }
  | { readonly kind: "not-modelled" }
  | { readonly kind: "mistaken"; readonly field: "kind" | "apiVersion"; readonly message: string; readonly help: string };

/** Custom resources and kinds of Kubernetes' own that state settings (facts/). */
const SETTINGS: ReadonlyMap<string, RegExp> = new Map([
  ["IPPool", /^(crd\.)?projectcalico\.org\/v[13]$/],
  ["FelixConfiguration", /^(crd\.)?projectcalico\.org\/v[13]$/],
  ["ServiceCIDR", /^networking\.k8s\.io\/v1(alpha1|beta1)?$/],
]);

/** Kinds that other objects name, and that say nothing of the network themselves: where a TLS key comes from. */
const NOTED: ReadonlyMap<string, RegExp> = new Map([
  ["Secret", /^v1$/],
  ["Certificate", /^cert-manager\.io\/v1(alpha[23]|beta1)?$/],
]);

/** Kinds that are read and judged, but make no packet go another way here yet. */
const ONLY_JUDGED: ReadonlySet<string> = new Set(["NetworkPolicy"]);
export const isModelled = (kind: string): boolean => !ONLY_JUDGED.has(kind);

export const isNamespaced = (kind: string): boolean => !CLUSTER_SCOPED.has(kind);

/** What to do with an object of that apiVersion and kind. */
export function judgeKind(apiVersion: string, kind: string): Judgement {
  if (apiVersion.startsWith("ktrace.dev/")) return judgeOwnKind(kind);
  if (kind === "KubeProxyConfiguration" && apiVersion.startsWith("kubeproxy.config.k8s.io/")) return { kind: "kube-proxy" };
  if (SETTINGS.get(kind)?.test(apiVersion)) return { kind: "setting" };
  if (NOTED.get(kind)?.test(apiVersion)) return { kind: "noted" };
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const versions = READ.get(kind);
  if (versions?.includes(apiVersion)) return { kind: "read" };
  if (versions !== undefined && isOwnGroup(group)) {
    return {
      kind: "mistaken",
      field: "apiVersion",
      message: `${kind} is not in apiVersion ${quote(apiVersion)}`,
      help: `write apiVersion: ${versions[0]}`,
    };
  }
  const meant = isOwnGroup(group) && !OTHER_KINDS.has(kind) ? nearest(kind, [...READ.keys(), ...OTHER_KINDS]) : undefined;
  if (meant !== undefined)
    return { kind: "mistaken", field: "kind", message: `Kubernetes has no kind ${quote(kind)}`, help: `did you mean ${meant}?` };
  return { kind: NETWORKING_GROUPS.test(group) ? "not-modelled" : "skip" };
}

/** The kinds of ktrace's own files. */
function judgeOwnKind(kind: string): Judgement {
  if (kind === "Topology") return { kind: "topology" };
  if (kind === "Expectations") return { kind: "expectations" };
  const meant = nearest(kind, ["Topology", "Expectations"]);
  if (meant === undefined) return { kind: "skip" };
  return { kind: "mistaken", field: "kind", message: `ktrace has no kind ${quote(kind)}`, help: `did you mean ${meant}?` };
}

/** The newest apiVersion in which a kind is served. */
export const servedVersion = (kind: string): string | undefined => READ.get(kind)?.[0];

/** Kubernetes' own groups have no dot, or end in .k8s.io as listed; all others are somebody's custom resources. */
const isOwnGroup = (group: string): boolean =>
  !group.includes(".") || /^(?:networking|discovery|rbac\.authorization|storage|policy|autoscaling|scheduling|node)\.k8s\.io$/.test(group);

export type PeekedKind = { readonly apiVersion: string; readonly kind: string };

/**
 * The apiVersion and kind of a YAML document, without parsing it; undefined whenever there is any doubt. A block mapping at
 * column 0 has its own keys there and nowhere else: what is nested is indented, so one line of each is certain.
 */
export function peekKind(text: string): PeekedKind | undefined {
  const kind = onlyValue(text, "kind");
  const apiVersion = kind === undefined ? undefined : onlyValue(text, "apiVersion");
  if (kind === undefined || apiVersion === undefined) return undefined;
  const first = /^[^\s#]/m.exec(text)?.[0] ?? "";
  return /[A-Za-z]/.test(first) ? { kind, apiVersion } : undefined;
}

const PLAIN_WORD = /^[ \t]+(["']?)([A-Za-z][A-Za-z0-9./-]*)\1[ \t]*(?:[ \t]#.*)?\r?$/;

/** indexOf, for an expression over the whole text would cost more than it saves. */
function onlyValue(text: string, key: string): string | undefined {
  const found = lineOf(text, `${key}:`, 0);
  if (found === -1 || lineOf(text, `${key}:`, found + 1) !== -1) return undefined;
  if ([`"${key}"`, `'${key}'`, `${key} `, `${key}\t`].some((other) => lineOf(text, other, 0) !== -1)) return undefined;
  const end = text.indexOf("\n", found);
  return PLAIN_WORD.exec(text.slice(found + key.length + 1, end === -1 ? text.length : end))?.[2];
}

/** Where a line begins with that text, after `from`; -1 when none does. */
function lineOf(text: string, start: string, from: number): number {
  if (from === 0 && text.startsWith(start)) return 0;
  const found = text.indexOf(`\n${start}`, from);
  return found === -1 ? -1 : found + 1;
}
