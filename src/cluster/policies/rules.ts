/**
 * NetworkPolicies as the API defines them (networking.k8s.io/v1, types.go): which pods they isolate in which direction, and
 * what their rules let through. It is the API's meaning, the same for every plugin that enforces policies at all; where the
 * API leaves something to the plugin, the file that decides says so.
 */
import type { ApiProtocol, ContainerPort, Labels, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../objects/api.ts";
import { matchesSelector } from "../../objects/selector.ts";
import type { PathPart } from "../../objects/source.ts";

export type Direction = "Ingress" | "Egress";

/** One entry of spec.ingress or spec.egress. No peers: everybody; no ports: every port of every protocol. */
export type PolicyRule = {
  readonly policy: NetworkPolicy;
  readonly direction: Direction;
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly NetworkPolicyPort[];
  readonly field: readonly PathPart[]; // ["spec", "ingress", 0]
  readonly side: "from" | "to"; // where the peers stand
};

/** What a pod is to a policy. */
export type PolicyPod = {
  readonly namespace: string;
  readonly labels: Labels;
  readonly hostNetwork: boolean;
  readonly containers: readonly { readonly ports?: readonly ContainerPort[] }[];
};

export const namespaceOfPolicy = ({ metadata }: NetworkPolicy): string => metadata.namespace ?? "default";

/** Ingress always, Egress when there are egress rules, unless policyTypes says it (SetDefaults_NetworkPolicy). */
export function directionsOf({ spec = {} }: NetworkPolicy): readonly Direction[] {
  const { policyTypes = [], egress = [] } = spec;
  if (policyTypes.length > 0) return policyTypes;
  return egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

/** The rules of one direction; those of a direction that the policy is not about are ignored, and are not among them. */
export function rulesOf(policy: NetworkPolicy, direction: Direction): readonly PolicyRule[] {
  if (!directionsOf(policy).includes(direction)) return [];
  const { ingress = [], egress = [] } = policy.spec ?? {};
  if (direction === "Ingress")
    return ingress.map(({ from = [], ports = [] }, i) => ({
      policy,
      direction,
      peers: from,
      ports,
      field: ["spec", "ingress", i],
      side: "from",
    }));
  return egress.map(({ to = [], ports = [] }, i) => ({ policy, direction, peers: to, ports, field: ["spec", "egress", i], side: "to" }));
}

/** Rules of both directions. */
export const allRules = (policy: NetworkPolicy): readonly PolicyRule[] => [...rulesOf(policy, "Ingress"), ...rulesOf(policy, "Egress")];

/** spec.podSelector looks into the policy's own namespace only; an empty one takes every pod of it. */
export const selectsPod = (policy: NetworkPolicy, { namespace, labels }: Pick<PolicyPod, "namespace" | "labels">): boolean =>
  namespaceOfPolicy(policy) === namespace && matchesSelector(policy.spec?.podSelector ?? {}, labels);

/** The labels of a namespace; undefined for one that nothing is known of. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

/**
 * Whether a peer's selectors take a pod: podSelector alone looks into the policy's namespace, with namespaceSelector both must
 * hold. The API says of pods on their node's network that the plugin need not tell them from the node: they are not taken.
 */
export function peerSelects(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  policy: NetworkPolicy,
  pod: Pick<PolicyPod, "namespace" | "labels" | "hostNetwork">,
  labelsOf: NamespaceLabels,
): boolean {
  if (ipBlock || pod.hostNetwork || (!podSelector && !namespaceSelector)) return false;
  const inNamespace = namespaceSelector
    ? matchesSelector(namespaceSelector, labelsOf(pod.namespace) ?? {})
    : namespaceOfPolicy(policy) === pod.namespace;
  return inNamespace && (podSelector === undefined || matchesSelector(podSelector, pod.labels));
}

/** A port of the pod at which a connection ends: after every translation, so never a Service's own. */
export type EndPort = { readonly protocol: ApiProtocol; readonly port: number };

/** Whether a rule's ports hold it. A name is looked up in the pod that the connection ends at; protocol is TCP unless it is said. */
export function portsHold(
  ports: readonly NetworkPolicyPort[],
  { protocol, port }: EndPort,
  target: Pick<PolicyPod, "containers">,
): boolean {
  if (ports.length === 0) return true;
  return ports.some((each) => {
    if ((each.protocol ?? "TCP") !== protocol) return false;
    if (each.port === undefined) return true;
    if (typeof each.port === "string") return namedPorts(target, each.port, protocol).includes(port);
    return port === each.port || (each.endPort !== undefined && port > each.port && port <= each.endPort);
  });
}

/** The numbers that a port name has in a pod. */
const namedPorts = ({ containers }: Pick<PolicyPod, "containers">, name: string, protocol: ApiProtocol): readonly number[] =>
  containers.flatMap(({ ports = [] }) =>
    ports.filter((each) => each.name === name && (each.protocol ?? "TCP") === protocol).map(({ containerPort }) => containerPort),
  );
