/**
 * The pods as `kubectl get pods` shows them in the end: planned by their controllers, put on nodes, addressed, started.
 * What a Pod object of the input states in its status (a live dump), and what the topology pins, is kept.
 */
import { broadcastOf, cidrSize, familyOf, type Ip, nthAddress, parseIp } from "../../net/address.ts";
import type { Pod } from "../../objects/api.ts";
import { textAt } from "../../objects/record.ts";
import type { Topology, TopologyPod } from "../../objects/topology.ts";
import type { ClusterNode, ClusterPod, PodPhase } from "../cluster.ts";
import { nodeOfPodIp } from "../nodes/pod-cidrs.ts";
import type { Notes } from "../notes.ts";
import { byNamespaceAndName } from "../order.ts";
import type { NamespaceLabels } from "../scheduler/pod-affinity.ts";
import { schedulePods } from "../scheduler/scheduler.ts";
import { type AddressPools, createAddressPools, familiesOf } from "./ipam.ts";
import type { Pins } from "./pins.ts";
import type { PodPlan } from "./plan.ts";

/** A pod on its node, before it is known what it listens on. */
export type PlacedPod = Omit<ClusterPod, "listens"> & { readonly pin?: TopologyPod };
type Pinned = { readonly plan: PodPlan; readonly pin?: TopologyPod; readonly node?: string; readonly stated: readonly Ip[] };

export function placePods(
  plans: readonly PodPlan[],
  nodes: readonly ClusterNode[],
  pins: Pins,
  namespaceLabels: NamespaceLabels,
  topology: Topology,
  notes: Notes,
): PlacedPod[] {
  const pinned = plans.map((plan) => pinDown(plan, pins.claim(plan.namespace, plan.name), nodes, topology, notes));
  const placements = schedulePods(pinned, nodes, namespaceLabels);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const pools = createAddressPools();
  const stated = pinned.map((each) => (isFinished(each.plan) ? each.stated : reserveStated(each, pools, notes)));
  if (pinned.some((each) => each.node === undefined && !each.plan.onlyNode))
    notes.assume("pods", "which node each pod runs on is ktrace's choice where the input does not say", "spec.pods[].node");
  const missing = new Set<string>(); // pods that do not run, for the sake of those that wait for them
  const pods = pinned.flatMap((each, i): PlacedPod[] => {
    const refused = refusedInDump(each.plan.object);
    const { node: name, message } = refused === undefined ? (placements[i] ?? {}) : { message: refused };
    const node = name === undefined ? undefined : byName.get(name);
    const { namespace, name: own, after } = each.plan;
    const isMade = after === undefined || !missing.has(`${namespace}/${after}`);
    const pod = !isMade ? [] : [node ? running(each, node, stated[i] ?? [], pools, notes) : pending(each, message ?? "", notes)];
    if (pod[0]?.phase !== "Running") missing.add(`${namespace}/${own}`);
    return pod;
  });
  const addressed = new Set(pinned.filter((_, i) => stated[i]?.length).map(({ plan }) => `${plan.namespace}/${plan.name}`));
  if (pods.some((pod) => pod.ips.length > 0 && !pod.hostNetwork && !addressed.has(`${pod.namespace}/${pod.name}`)))
    notes.assume("pod addresses", "given out in order of creation where the input does not say", "spec.pods[].ip");
  return pods.sort(byNamespaceAndName);
}

/** What the input says of a pod's node and addresses: its status, its spec, its pin; a pinned address also tells the node. */
function pinDown(plan: PodPlan, pin: TopologyPod | undefined, nodes: readonly ClusterNode[], topology: Topology, notes: Notes): Pinned {
  const status = plan.object?.status;
  const ofStatus = (status?.podIPs?.map((each) => each.ip) ?? (status?.podIP ? [status.podIP] : [])).flatMap((text) => parseIp(text) ?? []);
  const ofPin = pin?.ip === undefined ? undefined : parseIp(pin.ip);
  if (pin?.ip !== undefined && ofPin === undefined)
    notes.report({
      code: "topology-invalid-value",
      message: `Topology: pods: ${pin.name}: ip "${pin.ip}" is no IP address`,
      source: topology.source,
      field: ["spec", "pods"],
    });
  const ips = ofPin === undefined ? ofStatus : [ofPin, ...ofStatus.filter((ip) => familyOf(ip) !== familyOf(ofPin))];
  const node =
    pin?.node ??
    (plan.spec.nodeName || undefined) ??
    (ips[0] === undefined || plan.spec.hostNetwork ? undefined : nodeOfPodIp(nodes, ips[0])?.name);
  return { plan, ...(pin ? { pin } : {}), ...(node === undefined ? {} : { node }), stated: plan.spec.hostNetwork ? [] : ips };
}

/** Two pods cannot have one address: the later one gets another. */
function reserveStated(each: Pinned, pools: AddressPools, notes: Notes): Ip[] {
  return each.stated.filter((ip) => {
    const free = pools.reserve(ip);
    if (!free)
      notes.report({
        code: "pod-address-taken",
        message: `Pod ${each.plan.namespace}/${each.plan.name}: address ${ip} belongs to another pod`,
        source: each.plan.origin.source,
        field: each.plan.origin.field,
      });
    return free;
  });
}

const isFinished = (plan: PodPlan): boolean => ["Succeeded", "Failed"].includes(plan.object?.status?.phase ?? "");

function common({ plan, pin }: Pinned): Omit<PlacedPod, "ips" | "phase" | "ready"> {
  return {
    namespace: plan.namespace,
    name: plan.name,
    labels: plan.labels,
    annotations: plan.annotations,
    spec: plan.spec,
    containers: plan.spec.containers ?? [],
    hostNetwork: plan.spec.hostNetwork === true,
    terminating: plan.object?.metadata.deletionTimestamp !== undefined,
    dead: pin?.dead === true,
    ...(plan.owner ? { owner: plan.owner } : {}),
    ...(plan.workload ? { workload: plan.workload } : {}),
    origin: plan.origin,
    restarts: (plan.object?.status?.containerStatuses ?? []).reduce((sum, each) => sum + (each.restartCount ?? 0), 0),
    ...(plan.object ? { object: plan.object } : {}),
    ...(pin ? { pin } : {}),
  };
}

function pending(each: Pinned, message: string, notes: Notes): PlacedPod {
  const { namespace, name } = each.plan;
  const unknownNode = each.node !== undefined;
  if (unknownNode)
    notes.report({
      code: "pod-node-unknown",
      message: `Pod ${namespace}/${name}: ${message}`,
      help: "list the node in the topology",
      source: each.plan.origin.source,
      field: each.plan.origin.field,
    });
  else notes.event({ type: "Warning", reason: "FailedScheduling", object: { kind: "Pod", namespace, name }, message });
  return { ...common(each), ips: [], phase: "Pending", ready: false, message };
}

function running(each: Pinned, node: ClusterNode, stated: readonly Ip[], pools: AddressPools, notes: Notes): PlacedPod {
  const base = { ...common(each), node: node.name };
  const phase = phaseOf(each.plan.object);
  if (phase === "Pending" && stated.length === 0) return { ...base, ips: [], phase, ready: false };
  if (phase === "Succeeded" || phase === "Failed") return { ...base, ips: stated, phase, ready: false };
  const ips = base.hostNetwork ? node.internalIPs : addressesFor(node, stated, pools);
  if (ips.length === 0) return withoutAddress(base, node, notes);
  return { ...base, ips, phase, ready: phase === "Running" && (each.pin?.ready ?? isReady(each.plan.object)) };
}

/** The addresses stated, and one of each other family of the node; the node's first family is primary. */
function addressesFor(node: ClusterNode, stated: readonly Ip[], pools: AddressPools): Ip[] {
  const families = familiesOf(node);
  const ips = families.flatMap((family) => stated.find((ip) => familyOf(ip) === family) ?? pools.allocate(node, family) ?? []);
  return [...ips, ...stated.filter((ip) => !families.includes(familyOf(ip)))];
}

function withoutAddress(base: Omit<PlacedPod, "ips" | "phase" | "ready">, node: ClusterNode, notes: Notes): PlacedPod {
  const { namespace, name } = base;
  const message = `Failed to create pod sandbox: ${noAddress(node)}`;
  notes.event({ type: "Warning", reason: "FailedCreatePodSandBox", object: { kind: "Pod", namespace, name }, message });
  return { ...base, ips: [], phase: "Pending", ready: false, message };
}

/** The words of the plugin host-local (plugins/ipam/host-local/backend/allocator), which has nothing to say of a node without a range. */
function noAddress(node: ClusterNode): string {
  const [range] = node.podCIDRs;
  if (!range) return `node ${node.name} has no pod CIDR`;
  const last = cidrSize(range) - (broadcastOf(range) === undefined ? 1n : 2n);
  return `failed to allocate for range 0: no IP addresses available in range set: ${nthAddress(range, 1n)}-${nthAddress(range, last)}`;
}

/** A live scheduler's own word: it found no node for this pod, whatever ktrace's would find. */
function refusedInDump(object: Pod | undefined): string | undefined {
  if (object?.status?.phase !== "Pending" || object.spec?.nodeName) return undefined;
  const condition = object.status.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "False");
  return condition && textAt(condition, "message");
}

function phaseOf(object: Pod | undefined): PodPhase {
  const phase = object?.status?.phase;
  return phase === "Pending" || phase === "Succeeded" || phase === "Failed" || phase === "Unknown" ? phase : "Running";
}

/** The Ready condition; without one the containers' own word; without that, yes: no probe fails offline. */
function isReady(object: Pod | undefined): boolean {
  const condition = object?.status?.conditions?.find((each) => each.type === "Ready");
  if (condition) return condition.status === "True";
  return (object?.status?.containerStatuses ?? []).every((each) => each.ready !== false);
}
