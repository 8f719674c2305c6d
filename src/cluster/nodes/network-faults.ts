/**
 * What in the nodes' and the cluster's addresses cannot work, though each of them is well formed: ranges that overlap, two
 * nodes with one address, a node with none, an internal IP that no interface has, a gateway that no network leads to. No
 * component refuses these; packets go astray.
 */
import {
  type Cidr,
  cidrContains,
  cidrsOverlap,
  familyOf,
  formatCidr,
  type Ip,
  ipToBigInt,
  networkOf,
  parseCidr,
  parseIp,
} from "../../net/address.ts";
import type { Node } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Topology } from "../../objects/topology.ts";
import type { ClusterNode, Machine, OutsideHost } from "../cluster.ts";
import type { Finding, Notes } from "../notes.ts";
import type { Settings } from "../settings.ts";

const [OVERLAP, ONE_ADDRESS] = ["KT601", "KT603"];

type Ground = {
  readonly nodes: readonly ClusterNode[];
  readonly hosts: readonly OutsideHost[];
  readonly settings: Settings;
  readonly topology: Topology;
};

/** Reports all of them. */
export function reportNetworkFaults(ground: Ground, notes: Notes): void {
  const { nodes, hosts, settings, topology } = ground;
  const found = [
    ...rangeFaults(settings, topology),
    ...podCidrFaults(nodes, topology),
    ...nodes.flatMap((node) => networkFaults(node, settings)),
    ...oneAddressFaults(nodes),
    ...nodes.flatMap((node) => addressFaults(node, topology)),
    ...[...nodes, ...hosts].flatMap(gatewayFaults),
  ];
  for (const finding of found) notes.report(finding);
}

function rangeFaults({ podCIDRs, serviceCIDRs }: Settings, { source, kubernetes }: Topology): Finding[] {
  return serviceCIDRs.flatMap((services, i) =>
    podCIDRs
      .filter((pods) => cidrsOverlap(pods, services))
      .map((pods) => ({
        code: OVERLAP,
        message: `the range of cluster addresses ${formatCidr(services)} overlaps the pods' ${formatCidr(pods)}`,
        help: "give spec.kubernetes.serviceCIDRs and podCIDRs ranges that share no address",
        source,
        field: ["spec", "kubernetes", ...(kubernetes?.serviceCIDRs?.length ? ["serviceCIDRs", i] : ["podCIDRs"])],
      })),
  );
}

type Held = { readonly node: ClusterNode; readonly cidr: Cidr; readonly index: number; readonly start: bigint };

/** Prefixes overlap when one holds the other: sorted by start and length, each need be held against the last outermost only. */
function podCidrFaults(nodes: readonly ClusterNode[], topology: Topology): Finding[] {
  const cluster = (topology.kubernetes?.podCIDRs ?? []).flatMap((text) => parseCidr(text.trim()) ?? []);
  const held = nodes.flatMap((node) =>
    node.podCIDRs.map((cidr, index): Held => ({ node, cidr, index, start: ipToBigInt(networkOf(cidr).ip) })),
  );
  const outside = held
    .filter(({ cidr }) => cluster.length > 0 && !cluster.some((each) => each.length <= cidr.length && cidrContains(each, cidr.ip)))
    .map(({ node, cidr, index }) => ({
      code: OVERLAP,
      message: `node ${node.name}: its pod CIDR ${formatCidr(cidr)} lies outside the cluster's ${cluster.map(formatCidr).join(", ")}`,
      help: "give it a part of spec.kubernetes.podCIDRs, or leave it out",
      ...placeOfPodCidr(node, index),
    }));
  const overlaps = ([4, 6] as const).flatMap((family) => {
    let outer: Held | undefined;
    return held
      .filter(({ cidr }) => familyOf(cidr.ip) === family)
      .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.cidr.length - b.cidr.length))
      .flatMap((each): Finding[] => {
        const first = outer;
        if (first === undefined || first.node === each.node || !cidrsOverlap(first.cidr, each.cidr)) {
          outer = each;
          return [];
        }
        return [
          {
            code: OVERLAP,
            message: `node ${each.node.name}: its pod CIDR ${formatCidr(each.cidr)} overlaps ${formatCidr(first.cidr)} of node ${first.node.name}`,
            help: "give each node a range of its own, or leave podCIDRs out",
            ...placeOfPodCidr(each.node, each.index),
          },
        ];
      });
  });
  return [...outside, ...overlaps];
}

function placeOfPodCidr(node: ClusterNode, index: number): Pick<Finding, "source" | "field"> {
  const { origin, object } = node;
  if (origin !== undefined && origin.field.length > 0) return { source: origin.source, field: [...origin.field, "podCIDRs", index] };
  const list = object?.spec?.podCIDRs ? ["podCIDRs", index] : ["podCIDR"];
  return { source: object?.source, field: ["spec", ...list] };
}

/** Devices that the cluster's own daemons make have addresses of its ranges. */
const OWN_DEVICES = /^(?:lo|cni\d+|flannel.*|kube-.*|docker0|br-.*|veth.*|cali.*|tunl0|vxlan.*)$/;

function networkFaults(node: ClusterNode, { podCIDRs, serviceCIDRs }: Settings): Finding[] {
  const ranges = [
    ...serviceCIDRs.map((cidr) => ({ cidr, what: "cluster addresses" })),
    ...podCIDRs.map((cidr) => ({ cidr, what: "pods" })),
  ];
  return node.interfaces
    .filter(({ name, origin }) => origin !== undefined && !OWN_DEVICES.test(name))
    .flatMap(({ name, addresses, origin }) =>
      addresses.flatMap((address, j) =>
        ranges
          .filter(({ cidr }) => cidrsOverlap(cidr, address))
          .map(({ cidr, what }) => ({
            code: OVERLAP,
            message: `node ${node.name}: the network of ${name}, ${formatCidr(networkOf(address))}, overlaps the range of ${what} ${formatCidr(cidr)}`,
            help: "packets for one of the two go to the other: move the range (spec.kubernetes.podCIDRs, serviceCIDRs) or the network",
            source: origin?.source,
            field: [...(origin?.field ?? []), "addresses", j],
          })),
      ),
    );
}

function oneAddressFaults(nodes: readonly ClusterNode[]): Finding[] {
  const owners = new Map<Ip, ClusterNode>();
  return nodes.flatMap((node) =>
    node.internalIPs.flatMap((ip): Finding[] => {
      const owner = owners.get(ip);
      if (owner === undefined) owners.set(ip, node);
      if (owner === undefined || owner === node) return [];
      return [
        {
          code: ONE_ADDRESS,
          message: `nodes ${owner.name} and ${node.name} have one internal IP, ${ip}: the other nodes cannot tell them apart`,
          help: "say with internalIP which of its addresses a node is known by (kubelet --node-ip)",
          ...placeOfAddress(node, ip),
        },
      ];
    }),
  );
}

function placeOfAddress(node: ClusterNode, ip: Ip): Pick<Finding, "source" | "field"> {
  for (const { addresses, origin } of node.interfaces) {
    const j = addresses.findIndex((address) => address.ip === ip);
    if (j >= 0 && origin !== undefined) return { source: origin.source, field: [...origin.field, "addresses", j] };
  }
  const i = (node.object?.status?.addresses ?? []).findIndex(({ address }) => address === ip);
  if (i >= 0) return { source: node.object?.source, field: ["status", "addresses", i, "address"] };
  return { source: node.origin?.source, field: [...(node.origin?.field ?? []), "internalIP"] };
}

function addressFaults(node: ClusterNode, topology: Topology): Finding[] {
  const { name, interfaces, internalIPs, object, origin } = node;
  const isWritten = interfaces.some((each) => each.origin !== undefined);
  const own = interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  if (isWritten && own.length === 0) {
    const written = topology.nodes?.find((each) => each.name === name)?.interfaces ?? [];
    if (written.some(({ addresses = [] }) => addresses.length > 0)) return []; // what is broken in them was said
    return [
      {
        code: "node-without-address",
        severity: "warning",
        message: `node ${name}: none of its interfaces has an address, so no packet reaches it`,
        help: "add addresses, for example [10.0.2.4/24]",
        source: origin?.source,
        field: [...(origin?.field ?? []), "interfaces"],
      },
    ];
  }
  const [first] = internalIPs;
  if (isWritten && first !== undefined && !own.includes(first))
    return [
      {
        code: "internal-ip-of-no-interface",
        severity: "warning",
        message: `node ${name}: its internal IP ${first} is on none of its interfaces (${own.join(", ")})`,
        help: "add the address to the interface that has it, or correct internalIP",
        source: origin?.source,
        field: [...(origin?.field ?? []), "internalIP"],
      },
    ];
  return object === undefined ? [] : objectFaults(node, object, isWritten);
}

/** A Node object's own addresses; a dump has them, a Node written by hand may not. */
function objectFaults({ name }: ClusterNode, object: Node, isWritten: boolean): Finding[] {
  const addresses = object.status?.addresses ?? [];
  const broken = addresses.findIndex(
    ({ type, address }) => (type === "InternalIP" || type === "ExternalIP") && parseIp(address) === undefined,
  );
  const at = (field: readonly PathPart[]) => ({ source: object.source, field });
  if (broken >= 0)
    return [
      {
        code: "KT008",
        message: `Node ${name}: status.addresses[${broken}].address is ${JSON.stringify(addresses[broken]?.address)}, which is no IP address`,
        help: "a name belongs under type Hostname",
        ...at(["status", "addresses", broken, "address"]),
      },
    ];
  if (isWritten || addresses.some(({ type }) => type === "InternalIP")) return [];
  return [
    {
      code: "node-without-address",
      severity: "warning",
      message: `Node ${name} has no InternalIP under status.addresses: its address is assumed`,
      help: "read the Node as `kubectl get node -o yaml` prints it, or list its interfaces in the topology (spec.nodes)",
      ...at(["status", "addresses"]),
    },
  ];
}

function gatewayFaults({ kind, name, routes, interfaces }: Machine): Finding[] {
  const networks = interfaces.flatMap(({ addresses }) => addresses);
  return routes.flatMap(({ via, origin }): Finding[] => {
    const gateway = via === undefined ? undefined : parseIp(via);
    if (gateway === undefined || origin === undefined || networks.some((network) => cidrContains(network, gateway))) return [];
    return [
      {
        code: "gateway-out-of-reach",
        severity: "warning",
        message: `${kind} ${name}: the gateway ${gateway} is on none of its networks (${networks.map((each) => formatCidr(networkOf(each))).join(", ")})`,
        help: "the kernel refuses such a route: give an address of one of these networks",
        source: origin.source,
        field: [...origin.field, "via"],
      },
    ];
  });
}
