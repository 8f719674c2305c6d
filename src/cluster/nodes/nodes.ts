/**
 * The machines of the cluster: the topology's nodes and the input's Node objects, merged by name, with pod CIDRs as
 * kube-controller-manager allocates them (pkg/controller/nodeipam/ipam/cidrset) and the labels a kubelet gives itself.
 */
import { type Cidr, type Family, familyOf, formatCidr, type Ip, parseIp } from "../../net/address.ts";
import type { Topology, TopologyInterface } from "../../objects/topology.ts";
import type { ClusterNode } from "../cluster.ts";
import type { Given } from "../given.ts";
import type { Notes } from "../notes.ts";
import { compareIps } from "../order.ts";
import type { Settings } from "../settings.ts";
import { type AddressBook, createAddressBook } from "./address-book.ts";
import { withApiServer } from "./api-server.ts";
import { type MachineField, readMachine } from "./machine.ts";
import { isReady, kubeletLabels, nodeInfo, rolesOf, taintsOf } from "./node-object.ts";
import { addressesOfType, addressesWritten, objectAddresses, type Sketch, sketchNodes } from "./node-sketch.ts";
import { allocatePodCIDRs } from "./pod-cidrs.ts";
import { interfaceReader } from "./stated-interfaces.ts";

export function decideNodes(given: Given, topology: Topology, settings: Settings, notes: Notes): ClusterNode[] {
  const sketches = sketchNodes(given, topology, notes);
  const book = createAddressBook(addressesWritten(sketches, topology), [...settings.podCIDRs, ...settings.serviceCIDRs]);
  const families = [...new Set(settings.podCIDRs.map((cidr) => familyOf(cidr.ip)))];
  const podCIDRs = allocatePodCIDRs(sketches, settings.podCIDRs, topology, notes);
  const inferred = interfaceReader(sketches, topology);
  const nodes = sketches.map((sketch, i) => buildNode(sketch, podCIDRs[i] ?? [], { inferred, book, families, topology, notes }));
  return withApiServer([...nodes].sort(byPodCidr), topology, notes);
}

const byPodCidr = (a: ClusterNode, b: ClusterNode): number => {
  const [first, second] = [a.podCIDRs[0], b.podCIDRs[0]];
  if (!first || !second) return first ? -1 : second ? 1 : 0;
  return familyOf(first.ip) - familyOf(second.ip) || compareIps(first.ip, second.ip);
};

type Surroundings = {
  readonly inferred: (sketch: Sketch) => readonly TopologyInterface[];
  readonly book: AddressBook;
  readonly families: readonly Family[];
  readonly topology: Topology;
  readonly notes: Notes;
};

function buildNode(sketch: Sketch, podCIDRs: readonly Cidr[], surroundings: Surroundings): ClusterNode {
  const { book, families, topology, notes } = surroundings;
  const { name, written, object } = sketch;
  const field: MachineField = written ? ["spec", "nodes", written.index] : [];
  const fallback = objectAddresses(sketch);
  const inferred = written?.node.interfaces?.length ? [] : surroundings.inferred(sketch);
  if (inferred.length > 0) noteInterfaces(name, inferred, notes);
  const machine = readMachine(
    { ...(written?.node ?? { name }), ...(inferred.length > 0 ? { interfaces: inferred } : {}) },
    {
      kind: "node",
      field,
      topology,
      notes,
      book,
      assumed: () => assumedAddresses(name, fallback, book, families, notes),
    },
  );
  const labels = kubeletLabels(name, { ...object?.metadata.labels, ...written?.node.labels });
  return {
    ...machine,
    kind: "node",
    ...(!machine.origin && object ? { origin: { source: object.source, field: [] } } : {}),
    internalIPs: internalIPs(
      sketch,
      machine.interfaces.flatMap((each) => each.addresses),
      topology,
      notes,
    ),
    externalIPs: addressesOfType(object, "ExternalIP"),
    podCIDRs,
    labels,
    taints: taintsOf(written?.node.taints ?? object?.spec?.taints ?? [], object),
    unschedulable: object?.spec?.unschedulable === true,
    ready: isReady(object),
    nodeInfo: nodeInfo(object),
    roles: rolesOf(labels),
    ...(object ? { object } : {}),
  };
}

/** A Node object tells addresses, not what they are on. */
function noteInterfaces(name: string, interfaces: readonly TopologyInterface[], notes: Notes): void {
  const listed = interfaces.filter((each) => each.addresses?.length).map((each) => `${each.name} with ${each.addresses?.join(", ")}`);
  notes.assume(`node ${name}`, `interface ${listed.join(" and ")}`, "spec.nodes[].interfaces");
}

function assumedAddresses(name: string, stated: readonly Cidr[], book: AddressBook, families: readonly Family[], notes: Notes): Cidr[] {
  const chosen = stated.length > 0 ? [...stated] : families.flatMap((family) => book.nextFree(family) ?? []);
  notes.assume(`node ${name}`, `interface eth0 with ${chosen.map(formatCidr).join(", ")}`, "spec.nodes[].interfaces");
  return chosen;
}

/** The topology's internalIP, else the Node object's, else the first address of the first interface; then the first of the other family. */
function internalIPs(sketch: Sketch, addresses: readonly Cidr[], topology: Topology, notes: Notes): Ip[] {
  const stated = sketch.written?.node.internalIP;
  const primary = stated === undefined ? undefined : parseIp(stated);
  if (stated !== undefined && primary === undefined)
    notes.report({
      code: "topology-invalid-value",
      message: `Topology: node ${sketch.name}: internalIP "${stated}" is no IP address`,
      source: topology.source,
      field: ["spec", "nodes", sketch.written?.index ?? 0, "internalIP"],
    });
  const candidates = [
    ...(primary === undefined ? [] : [primary]),
    ...objectAddresses(sketch).map((cidr) => cidr.ip),
    ...addresses.map((cidr) => cidr.ip),
  ];
  const first = candidates[0];
  if (first === undefined) return [];
  const second = candidates.find((ip) => familyOf(ip) !== familyOf(first));
  return second === undefined ? [first] : [first, second];
}
