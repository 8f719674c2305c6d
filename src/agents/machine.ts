/**
 * What the distribution's own network set-up leaves on any machine, node or outside host: lo, the listed interfaces, their
 * routes, its listening processes. Not modelled: DHCP, bonds and VLANs as such (they are plain devices), link-local addresses.
 */
import type { Machine, MachineInterface, Origin } from "../cluster/cluster.ts";
import type { Link, LinkKind, ListeningSocket, NetnsId, Route } from "../linux/netns.ts";
import { anyCidr, type Cidr, cidrContains, type Family, familyOf, type Ip, parseCidr, parseIp } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Protocol } from "../net/packet.ts";
import type { ApiProtocol, ObjectRef } from "../objects/api.ts";
import type { CauseRole, CauseTable } from "../objects/cause.ts";

export const machineNetns = (machine: { readonly kind: "node" | "host"; readonly name: string }): NetnsId =>
  `${machine.kind}/${machine.name}`;

/** How the trace names the machine: a Node object, or a host of the topology. */
export const machineRef = (machine: Machine): ObjectRef => ({ kind: machine.kind === "node" ? "Node" : "Host", name: machine.name });

/** A cause with the place that the input gives, where it gives one. */
export const causeAt = (causes: CauseTable, role: CauseRole, object: ObjectRef, origin: Origin | undefined, note?: string): CauseId =>
  causes.add({ role, object, ...(origin ? { source: origin.source, field: origin.field } : {}), ...(note === undefined ? {} : { note }) });

export const transportOf = (protocol: ApiProtocol | undefined): Protocol => {
  switch (protocol) {
    case "UDP":
      return "udp";
    case "SCTP":
      return "sctp";
    default:
      return "tcp";
  }
};

/** The kind of a listed interface follows from its name: the topology says none. Names as docker, libvirt and CNI plugins give. */
export function linkRoleOf(name: string): "device" | "bridge" | "dummy" | "loopback" {
  if (name === "lo") return "loopback";
  if (/^(docker\d+|br-[0-9a-f]{12}|virbr\d+|lxdbr\d+|cbr\d+|cni\d+)$/.test(name)) return "bridge";
  return /^(dummy\d+|kube-ipvs0|nodelocaldns|flannel[.-].*)$/.test(name) ? "dummy" : "device";
}

/** IPv6 is set up on a machine when the input gives it an address of that family. */
export const speaksIpv6 = (addresses: readonly Cidr[]): boolean => addresses.some((address) => familyOf(address.ip) === 6);

export const LOOPBACK_MTU = 65536;
export const ETHERNET_MTU = 1500;

/** `lo`, which every network stack has; ::1 when it speaks IPv6. */
export function loopbackLink(ipv6: boolean, cause: CauseId, extra: readonly Cidr[] = []): Link {
  const own: Cidr[] = [{ ip: "127.0.0.1", length: 8 }, ...(ipv6 ? [{ ip: "::1", length: 128 }] : [])];
  return {
    name: "lo",
    mac: "00:00:00:00:00:00",
    mtu: LOOPBACK_MTU,
    up: true,
    carrier: true,
    addresses: [
      ...own.map((cidr) => ({ cidr, scope: "host" as const })),
      ...extra.filter((cidr) => !own.some((each) => each.ip === cidr.ip)).map((cidr) => ({ cidr, scope: "global" as const })),
    ],
    type: { kind: "loopback" },
    cause,
  };
}

export type LinkSetup = {
  readonly causes: CauseTable;
  readonly netnsCause: CauseId;
  readonly segmentOf: (link: string) => string;
  readonly ipv6: boolean;
  /** Interfaces that a daemon of the node makes itself (cni0, flannel.1): listed ones only pin the MAC. */
  readonly skip?: (name: string) => boolean;
};

/** lo and the listed interfaces, in their order. */
export function machineLinks(machine: Machine, setup: LinkSetup): Link[] {
  const lo = machine.interfaces.find((each) => each.name === "lo");
  const listed = machine.interfaces.filter((each) => each.name !== "lo" && !setup.skip?.(each.name));
  return [loopbackLink(setup.ipv6, setup.netnsCause, lo?.addresses), ...listed.map((each) => listedLink(machine, each, setup))];
}

function listedLink(machine: Machine, each: MachineInterface, setup: LinkSetup): Link {
  const type = linkKindOf(each.name, setup);
  const isBridge = type.kind === "bridge";
  return {
    name: each.name,
    mac: each.mac,
    mtu: each.mtu,
    up: each.up || isBridge, // `state: down` of docker0 is what `ip` shows of a bridge without ports: up, no carrier
    carrier: each.up && !isBridge,
    addresses: each.addresses.map((cidr) => ({ cidr, scope: "global" as const })),
    type,
    cause: causeAt(setup.causes, "interface", machineRef(machine), each.origin ?? machine.origin),
  };
}

function linkKindOf(name: string, setup: LinkSetup): LinkKind {
  const role = linkRoleOf(name);
  return role === "bridge" || role === "dummy" ? { kind: role } : { kind: "device", segment: setup.segmentOf(name) };
}

/** The routes written for a machine, with the device that reaches their gateway; what the kernel would refuse is left out (`unusableRoutes`). */
export function machineRoutes(machine: Machine, links: readonly Link[], causes: CauseTable): Route[] {
  return machine.routes.flatMap((each) => {
    const route = routeOf(each, links);
    if (!route) return [];
    const cause = causeAt(causes, "route", machineRef(machine), each.origin ?? machine.origin);
    return [{ ...route, cause, ...(each.assumed ? { assumed: true } : {}) }];
  });
}

/** Routes that `ip route add` would refuse: a gateway on no attached network, a device that is missing or down, a malformed prefix. */
export const unusableRoutes = (machine: Machine, links: readonly Link[]): Machine["routes"] =>
  machine.routes.filter((each) => !routeOf(each, links));

function routeOf(each: Machine["routes"][number], links: readonly Link[]): Omit<Route, "cause"> | undefined {
  const via = each.via === undefined ? undefined : parseIp(each.via);
  const src = each.src === undefined ? undefined : parseIp(each.src);
  if (each.via !== undefined && via === undefined) return undefined;
  const family = familyOf(via ?? src ?? familyHint(each.dev, links));
  const to = each.to === "default" ? anyCidr(family) : parseCidr(each.to);
  if (!to) return undefined;
  const metric = each.metric ?? defaultMetric(familyOf(to.ip));
  const common = { to, metric, proto: "boot" as const, ...(src === undefined ? {} : { src }) };
  if (each.type !== undefined && each.type !== "unicast") return { type: each.type, ...common };
  const dev = deviceFor(each.dev, via, links);
  if (!dev) return undefined;
  const onLink = via === undefined || isAttached(dev, via);
  return {
    type: "unicast",
    ...common,
    dev: dev.name,
    ...(via === undefined ? { scope: "link" as const } : { via }),
    ...(onLink ? {} : { onlink: true }), // a device was named: clouds give /32 addresses and a gateway beside them
  };
}

const familyHint = (dev: string | undefined, links: readonly Link[]): Ip =>
  links.find((link) => link.name === dev)?.addresses[0]?.cidr.ip ?? "0.0.0.0";

function deviceFor(name: string | undefined, via: Ip | undefined, links: readonly Link[]): Link | undefined {
  const up = links.filter((link) => link.up);
  if (name !== undefined) return up.find((link) => link.name === name);
  return via === undefined ? up.find((link) => link.type.kind === "device") : up.find((link) => isAttached(link, via));
}

const isAttached = (link: Link, ip: Ip): boolean =>
  link.addresses.some((address) => address.scope === "global" && cidrContains(address.cidr, ip));

/** Metric of a route added without one: 0 for IPv4, 1024 for IPv6 (IP6_RT_PRIO_USER, include/net/ip6_route.h). */
export const defaultMetric = (family: Family): number => (family === 4 ? 0 : 1024);

/** The processes that the topology lists on a machine. */
export function machineSockets(machine: Machine, causes: CauseTable): ListeningSocket[] {
  return machine.listens.map((each, i) => ({
    protocol: transportOf(each.protocol),
    ip: "*",
    port: each.port,
    process: "",
    owner: machineNetns(machine),
    cause: causeAt(
      causes,
      "listen",
      machineRef(machine),
      machine.origin && { source: machine.origin.source, field: [...machine.origin.field, "listens", i] },
    ),
  }));
}
