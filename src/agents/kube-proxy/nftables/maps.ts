/**
 * The sets and maps that find a packet's service port. A member is made when its key is first looked up; a key is known
 * without making it, so the cost of a packet does not grow with the number of Services.
 */
import type { NftElement, NftSet } from "../../../linux/netfilter/nft.ts";
import type { Ip } from "../../../net/address.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import { endpointCause, portField, refusalOf, serviceCause } from "../iptables/context.ts";
import { once } from "../iptables/dispatch.ts";
import type { Listed, ServicePort } from "../service-ports.ts";
import { address, type NftWriter, word } from "./context.ts";

type Head = Omit<NftSet, "elements" | "find">;

/** Members by port: `keys` names them all, as they are looked up. */
type ByPort = { readonly keys: (port: ServicePort) => readonly string[]; readonly elements: (port: ServicePort) => readonly NftElement[] };

/** All of them, in the order in which they are made. */
export function fixedSets(writer: NftWriter): readonly NftSet[] {
  const ip = writer.family === 4 ? "ipv4_addr" : "ipv6_addr";
  const set = (name: string, comment: string, type: readonly string[] = [ip]): Head => ({
    name,
    kind: "set",
    type,
    flags: [],
    comment,
  });
  const map = (name: string, comment: string, type: readonly string[]): Head => ({
    ...set(name, comment, type),
    kind: "map",
    data: "verdict",
  });
  const toAddress = [ip, "inet_proto", "inet_service"];
  const toPort = ["inet_proto", "inet_service"];
  const current = writer.form === "current";
  return [
    ...(current ? [hairpins(writer, set("hairpin-connections", "service hairpin connections", [ip, ip, ...toPort]))] : []),
    lazySet(writer, set("cluster-ips", "Active ClusterIPs"), clusterIps(writer)),
    ...(writer.nodePorts.matchAll ? [] : [nodePortIps(writer, set("nodeport-ips", "IPs that accept NodePort traffic"))]),
    lazySet(
      writer,
      map("no-endpoint-services", "vmap to drop or reject packets to services with no endpoints", toAddress),
      refusedServices(writer),
    ),
    lazySet(
      writer,
      map("no-endpoint-nodeports", "vmap to drop or reject packets to service nodeports with no endpoints", toPort),
      refusedNodePorts(writer),
    ),
    lazySet(writer, map("firewall-ips", "destinations that are subject to LoadBalancerSourceRanges", toAddress), firewalled(writer)),
    lazySet(writer, map("service-ips", "ClusterIP, ExternalIP and LoadBalancer IP traffic", toAddress), services(writer)),
    lazySet(writer, map("service-nodeports", "NodePort traffic", toPort), nodePorts(writer)),
  ];
}

/** Two ports with one key do not both stand in a map: the API refuses it for what it allocates, the first one's stands. */
function lazySet({ ports }: NftWriter, head: Head, { keys, elements }: ByPort): NftSet {
  const made = new Map<ServicePort, readonly NftElement[]>();
  const elementsOf = (port: ServicePort): readonly NftElement[] => {
    const known = made.get(port) ?? elements(port);
    made.set(port, known);
    return known;
  };
  const index = once(() => {
    const byKey = new Map<string, ServicePort[]>();
    for (const port of ports()) for (const key of keys(port)) byKey.set(key, [...(byKey.get(key) ?? []), port]);
    return byKey;
  });
  return {
    ...head,
    elements: once(() => [
      ...new Map(
        ports()
          .flatMap(elementsOf)
          .map((element) => [keyText(element), element]),
      ).values(),
    ]),
    find: (key) => {
      const wanted = key.join(" . ");
      for (const port of index().get(wanted) ?? []) {
        const element = elementsOf(port).find((one) => keyText(one) === wanted);
        if (element) return element;
      }
      return undefined;
    },
  };
}

const keyText = ({ key }: NftElement): string =>
  key.map((value) => (value.kind === "prefix" ? value.cidr.ip : value.kind === "word" ? value.word : "")).join(" . ");

const addressKey = ({ protocol, port }: ServicePort, ip: Ip): string => `${ip} . ${protocol} . ${port.port}`;
const toAddressOf = ({ protocol, port }: ServicePort, ip: Ip): NftElement["key"] => [address(ip), word(protocol), word(port.port)];
const outsideOf = ({ externalIPs, vips }: ServicePort): readonly Listed<Ip>[] => [...externalIPs, ...vips];
const allKeys = (port: ServicePort): readonly string[] => [
  addressKey(port, port.clusterIP),
  ...outsideOf(port).map(({ value }) => addressKey(port, value)),
];
const portKeys = ({ protocol, nodePort }: ServicePort): readonly string[] => (nodePort === undefined ? [] : [`${protocol} . ${nodePort}`]);

const clusterIps = (writer: NftWriter): ByPort => ({
  keys: (port) => [port.clusterIP],
  elements: (port) => [{ key: [address(port.clusterIP)], cause: serviceCause(writer, port, "cluster-ip", ["spec", "clusterIP"]) }],
});

function nodePortIps({ nodePorts, fixedCause }: NftWriter, head: Head): NftSet {
  const elements = nodePorts.addresses.map((ip): NftElement => ({ key: [address(ip)], cause: fixedCause }));
  return { ...head, elements: () => elements, find: ([ip]) => elements[nodePorts.addresses.indexOf(ip ?? "")] };
}

const externalPath = (port: ServicePort, at: number, index: number) =>
  at < port.externalIPs.length ? (["spec", "externalIPs", index] as const) : (["status", "loadBalancer", "ingress", index] as const);

const services = (writer: NftWriter): ByPort => ({
  keys: allKeys,
  elements: (port) => {
    const { hasInternal, hasEndpoints } = writer.decide(port);
    const kind = port.internalPolicyLocal ? "local" : "service";
    const inside = hasInternal
      ? [member(toAddressOf(port, port.clusterIP), writer.chainName(kind, port), clusterIpCause(writer, port))]
      : [];
    const outside = outsideOf(port).map(({ value, index }, at) =>
      member(
        toAddressOf(port, value),
        writer.chainName("external", port),
        serviceCause(writer, port, at < port.externalIPs.length ? "external-ip" : "load-balancer-ip", externalPath(port, at, index)),
      ),
    );
    return [...inside, ...(hasEndpoints ? outside : [])];
  },
});

const clusterIpCause = (writer: NftWriter, port: ServicePort) => serviceCause(writer, port, "cluster-ip", portField(port, "port"));
const member = (key: NftElement["key"], chain: string, cause: number, comment?: string): NftElement => ({
  key,
  verdict: { kind: "goto", chain },
  cause,
  ...(comment === undefined ? {} : { comment }),
});

const nodePorts = (writer: NftWriter): ByPort => ({
  keys: portKeys,
  elements: (port) => {
    if (port.nodePort === undefined || !writer.decide(port).hasEndpoints) return [];
    const cause = serviceCause(writer, port, "node-port", portField(port, "nodePort"));
    return [member([word(port.protocol), word(port.nodePort)], writer.chainName("external", port), cause)];
  },
});

const refusedServices = (writer: NftWriter): ByPort => ({
  keys: allKeys,
  elements: (port) => [
    ...refused(writer, port, "hasInternal", toAddressOf(port, port.clusterIP)),
    ...outsideOf(port).flatMap(({ value }) => refused(writer, port, "hasExternal", toAddressOf(port, value))),
  ],
});

const refusedNodePorts = (writer: NftWriter): ByPort => ({
  keys: portKeys,
  elements: (port) => (port.nodePort === undefined ? [] : refused(writer, port, "hasExternal", [word(port.protocol), word(port.nodePort)])),
});

/** Rejected without any endpoint, dropped when a Local policy leaves none here. */
function refused(writer: NftWriter, port: ServicePort, has: "hasInternal" | "hasExternal", key: NftElement["key"]): readonly NftElement[] {
  const refusal = refusalOf(writer, port, has);
  if (refusal === undefined) return [];
  const { reason, field, note } = refusal;
  const cause = serviceCause(writer, port, reason, field, note);
  const verdict = reason === "no-endpoints" ? ({ kind: "goto", chain: "reject-chain" } as const) : ({ kind: "drop" } as const);
  return [{ key, verdict, comment: port.text, cause, reason }];
}

const firewalled = (writer: NftWriter): ByPort => ({
  keys: (port) => (usesFirewall(port) ? port.vips.map(({ value }) => addressKey(port, value)) : []),
  elements: (port) =>
    usesFirewall(port)
      ? port.vips.map(({ value, index }) =>
          member(
            toAddressOf(port, value),
            writer.chainName("firewall", port),
            serviceCause(writer, port, "load-balancer-ip", ["status", "loadBalancer", "ingress", index]),
            port.text,
          ),
        )
      : [],
});

/** Even without any endpoint. */
export const usesFirewall = ({ vips, sourceRanges }: ServicePort): boolean => vips.length > 0 && sourceRanges.length > 0;

/** Connections of an endpoint of this node to itself, as they look after DNAT. */
function hairpins(writer: NftWriter, head: Head): NftSet {
  const made = once(() => {
    const byKey = new Map<string, NftElement>();
    for (const port of writer.ports())
      for (const endpoint of writer.decide(port).reachable.filter(({ isLocal }) => isLocal)) {
        const element = hairpin(writer, port, endpoint);
        const key = keyText(element);
        if (!byKey.has(key)) byKey.set(key, element);
      }
    return byKey;
  });
  return {
    ...head,
    elements: once(() => [...made().values()]),
    find: (key) => (key[0] === key[1] ? made().get(key.join(" . ")) : undefined),
  };
}

const hairpin = (writer: NftWriter, { protocol }: ServicePort, endpoint: ProxyEndpoint): NftElement => ({
  key: [address(endpoint.ip), address(endpoint.ip), word(protocol), word(endpoint.port)],
  cause: endpointCause(writer, endpoint, "hairpin"),
});
