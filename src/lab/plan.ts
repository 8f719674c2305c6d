/**
 * The real network that a World describes, as ordered steps of data: namespaces, sysctls, `ip -batch` lines, forwarding
 * entries, iptables-restore text. Nothing is run here: `script.ts` prints a plan as a shell script, `run.ts` runs that.
 * Not built: network stacks that are not asked for (a cable to one ends in nothing), SCTP listeners, ipsets.
 */
import type { Link, ListeningSocket, Netns, NetnsId, World } from "../linux/netns.ts";
import { cidrContains, type Family, type Ip } from "../net/address.ts";
import { configureLines, createLines, fdbLines } from "./ip-lines.ts";
import { lanLines, lanOf } from "./lan.ts";
import { creationRuns } from "./link-order.ts";
import { checkLabName, type LabNames, namespaceNames } from "./names.ts";
import { type OutsideServer, ROUTER_ID, routerOf } from "./router.ts";
import { baseSysctls, deviceSysctls, LAN_SYSCTLS, type Sysctl } from "./sysctls.ts";

export type Backend = "nft" | "legacy";

export type LabStep =
  | { readonly kind: "add-netns"; readonly names: readonly string[] }
  | { readonly kind: "sysctl"; readonly netns: string; readonly settings: readonly Sysctl[] }
  | { readonly kind: "ip" | "bridge"; readonly netns: string; readonly lines: readonly string[] }
  | { readonly kind: "restore"; readonly netns: string; readonly family: Family; readonly backend: Backend; readonly text: string }
  | { readonly kind: "nft"; readonly netns: string; readonly text: string };

/** One namespace of the lab. `id` is the World's, or `lab/router` for the gateways outside. */
export type LabNamespace = {
  readonly name: string;
  readonly id: NetnsId;
  /** The iptables it has, for counters and conntrack. */
  readonly families: readonly Family[];
  readonly backend: Backend;
  readonly agent: AgentPlan;
  /** What `/etc/hosts` and `/etc/resolv.conf` are to programs run inside. */
  readonly files?: NameFiles;
  /** Other names for it on the command line. */
  readonly aliases?: readonly string[];
};

export type NameFiles = { readonly hosts: string; readonly resolvConf: string };

/** What the helper process of one namespace does. */
export type AgentPlan = {
  readonly sockets: readonly AgentSocket[];
  /** On-link addresses to talk to once, so that ARP and bridge tables are warm before the first observed packet. */
  readonly neighbours: readonly Ip[];
};
/** One address and port to answer at. `*` stands here as every address of the namespace: a UDP answer then comes from the one asked. */
export type AgentSocket = {
  readonly protocol: "tcp" | "udp";
  readonly ips: readonly Ip[];
  readonly port: number;
  readonly owner: string;
  /** Absent: it tells whom it saw. */
  readonly serves?: Serves;
};

/** What a process of the cluster does with what it takes; agent.mjs does it. */
export type Serves =
  | {
      readonly kind: "dns";
      readonly domain: string;
      readonly records: Readonly<Record<string, { readonly a: readonly Ip[]; readonly aaaa: readonly Ip[]; readonly alias?: string }>>;
    }
  | { readonly kind: "http"; readonly hosts: readonly HttpHost[] }
  | { readonly kind: "silence" } // it takes connections and reads nothing
  | HttpAction;
/** Of one host name: `*.` stands for one label, "" for any. `action`: when no rule has the path. */
export type HttpHost = {
  readonly host: string;
  readonly rules: readonly { readonly path: string; readonly type: string; readonly action: HttpAction }[];
  readonly action: HttpAction;
};
export type HttpAction =
  | { readonly kind: "answer"; readonly status: number; readonly text: string; readonly location?: string }
  | {
      readonly kind: "forward";
      readonly upstreams: readonly { readonly ip: Ip; readonly port: number }[];
      readonly tries: number;
      readonly bind?: Ip;
    };

export type LabPlan = {
  readonly lab: string;
  readonly lan: string;
  readonly namespaces: readonly LabNamespace[];
  readonly steps: readonly LabStep[];
  /** UDP ports that carry VXLAN, so that a capture can look inside. */
  readonly vxlanPorts: readonly number[];
  /** Bridge ports and bridges: where a frame for somebody else is no surprise. */
  readonly bridged: readonly { readonly netns: string; readonly link: string }[];
  /** What of the World the lab does not have, for people. */
  readonly left: readonly string[];
};

export type LabOptions = {
  readonly lab: string;
  /** iptables-restore text of one family, undefined when it has no tables. Printed by `dialects`. */
  readonly restoreText: (netns: Netns, family: Family) => string | undefined;
  /** What `nft -f` is fed in a namespace, undefined when it has no tables of its own. Printed by `dialects`. */
  readonly nftText?: (netns: Netns) => string | undefined;
  /** What a process does with what it takes; undefined: it tells whom it saw. */
  readonly serves?: (socket: ListeningSocket, ip: Ip) => Serves | undefined;
  readonly nameFiles?: (id: NetnsId) => NameFiles | undefined;
  readonly aliases?: (id: NetnsId) => readonly string[];
  /** Machines beyond the unlisted gateways that shall answer. */
  readonly outside?: readonly OutsideServer[];
  /** Give up on a silent neighbour after 0.3 s instead of 3 s. */
  readonly fastNeighbours?: boolean;
  /** Which iptables loads the rules; default nft. */
  readonly backend?: Backend;
};

/** The steps that make these network stacks of the World real. Throws LabError when they contradict themselves. */
export function planLab(world: World, ids: readonly NetnsId[], options: LabOptions): LabPlan {
  checkLabName(options.lab);
  const listed = [...new Set(ids)].flatMap((id) => world.netns(id) ?? []);
  const router = routerOf(world, listed, options.outside ?? []);
  const stacks = router ? [...listed, router] : listed;
  const names = namespaceNames(
    options.lab,
    stacks.map((netns) => netns.id),
  );
  const lan = lanOf(stacks, names.lan);
  const cabling = { names, lan, stacks: new Map(stacks.map((netns) => [netns.id, netns])) };
  const rules = stacks.flatMap((netns) => restoreSteps(netns, names, options));
  return {
    lab: options.lab,
    lan: names.lan,
    namespaces: stacks.map((netns) => namespaceOf(netns, stacks, names, rules, options)),
    steps: [
      { kind: "add-netns", names: [names.lan, ...stacks.map((netns) => names.of(netns.id))] },
      { kind: "sysctl", netns: names.lan, settings: LAN_SYSCTLS },
      ...stacks.map((netns): LabStep => ({ kind: "sysctl", netns: names.of(netns.id), settings: baseSysctls(netns) })),
      ...creationRuns(stacks).map(
        ({ netns, links }): LabStep => ({ kind: "ip", netns: names.of(netns.id), lines: createLines(netns, links, cabling) }),
      ),
      { kind: "ip", netns: names.lan, lines: lanLines(lan) },
      ...stacks.map(
        (netns): LabStep => ({ kind: "ip", netns: names.of(netns.id), lines: configureLines(netns, options.fastNeighbours ?? false) }),
      ),
      ...stacks
        .filter((netns) => netns.fdb.length > 0)
        .map((netns): LabStep => ({ kind: "bridge", netns: names.of(netns.id), lines: fdbLines(netns) })),
      ...stacks.flatMap((netns) => deviceSteps(netns, names)),
      ...rules,
    ],
    vxlanPorts: [...new Set(stacks.flatMap((netns) => netns.links.flatMap(({ type }) => (type.kind === "vxlan" ? [type.port] : []))))],
    bridged: stacks.flatMap((netns) => netns.links.filter(isBridged).map((link) => ({ netns: netns.id, link: link.name }))),
    left: stacks.flatMap(leftOut),
  };
}

const isBridged = (link: Link): boolean => link.master !== undefined || link.type.kind === "bridge";

function namespaceOf(
  netns: Netns,
  stacks: readonly Netns[],
  names: LabNames,
  rules: readonly LabStep[],
  options: LabOptions,
): LabNamespace {
  const name = names.of(netns.id);
  const files = options.nameFiles?.(netns.id);
  const aliases = options.aliases?.(netns.id) ?? [];
  return {
    name,
    id: netns.id,
    families: rules.flatMap((step) => (step.kind === "restore" && step.netns === name ? [step.family] : [])),
    backend: options.backend ?? netns.netfilter.backend ?? "nft",
    agent: { sockets: socketsOf(netns, options.serves ?? (() => undefined)), neighbours: neighboursOf(netns, stacks) },
    ...(files ? { files } : {}),
    ...(aliases.length > 0 ? { aliases } : {}),
  };
}

function restoreSteps(netns: Netns, names: LabNames, options: LabOptions): LabStep[] {
  const nft = options.nftText?.(netns);
  const own: LabStep[] = nft === undefined ? [] : [{ kind: "nft", netns: names.of(netns.id), text: nft }];
  const restores = ([4, 6] as const).flatMap((family): LabStep[] => {
    const text = netns.netfilter.tables(family).length > 0 ? options.restoreText(netns, family) : undefined;
    return text === undefined
      ? []
      : [{ kind: "restore", netns: names.of(netns.id), family, backend: options.backend ?? netns.netfilter.backend ?? "nft", text }];
  });
  return [...restores, ...own];
}

function deviceSteps(netns: Netns, names: LabNames): LabStep[] {
  const settings = deviceSysctls(netns);
  return settings.length > 0 ? [{ kind: "sysctl", netns: names.of(netns.id), settings }] : [];
}

/** An address of a device that is down is local all the same; of 127.0.0.0/8, which is local as a whole, two. */
const usableAddresses = (netns: Netns): Ip[] => [
  ...new Set([...netns.links.flatMap((link) => link.addresses.map(({ cidr }) => cidr.ip)), "127.0.0.1", "127.0.0.2"]),
];

/** Who listens where, the first of two that want one port. A process on `*` is bound to each address. */
function socketsOf(netns: Netns, serves: NonNullable<LabOptions["serves"]>): AgentSocket[] {
  const taken = new Set<string>();
  return netns.sockets.flatMap((socket): AgentSocket[] => {
    if ((socket.protocol !== "tcp" && socket.protocol !== "udp") || isTunnel(netns, socket)) return [];
    const ips = (socket.ip === "*" ? usableAddresses(netns) : [socket.ip]).filter((ip) => !taken.has(keyOf(socket, ip)));
    for (const ip of ips) taken.add(keyOf(socket, ip));
    const [first] = ips;
    if (first === undefined) return [];
    const process = serves(socket, first);
    return [{ protocol: socket.protocol, ips, port: socket.port, owner: socket.owner, ...(process ? { serves: process } : {}) }];
  });
}
/** The kernel itself listens on a tunnel's port. */
const isTunnel = (netns: Netns, { protocol, port }: ListeningSocket): boolean =>
  protocol === "udp" && netns.links.some(({ type }) => type.kind === "vxlan" && type.port === port);
const keyOf = (socket: ListeningSocket, ip: Ip): string => `${socket.protocol} ${ip} ${socket.port}`;

/** The machines on its segments that come after it, and the pods behind its bridges: each pair talks once. */
function neighboursOf(netns: Netns, stacks: readonly Netns[]): Ip[] {
  const later = stacks.slice(stacks.indexOf(netns) + 1);
  return netns.links.flatMap((link) => {
    if (!link.up || link.addresses.length === 0) return [];
    const ends =
      link.type.kind === "bridge"
        ? behindBridge(netns, link, stacks)
        : link.type.kind === "device"
          ? onSegment(link.type.segment, later)
          : [];
    return ends.filter((ip) => link.addresses.some(({ cidr }) => cidrContains(cidr, ip)));
  });
}

const onSegment = (segment: string, stacks: readonly Netns[]): Ip[] =>
  stacks.flatMap((netns) =>
    netns.links.flatMap((link) => (link.up && link.type.kind === "device" && link.type.segment === segment ? addressesOf(link) : [])),
  );

function behindBridge(netns: Netns, bridge: Link, stacks: readonly Netns[]): Ip[] {
  const ports = netns.links.filter((link) => link.master === bridge.name && link.up);
  return ports.flatMap(({ type }) => {
    if (type.kind !== "veth") return [];
    const far = stacks.find((each) => each.id === type.peer.netns)?.links.find((link) => link.name === type.peer.link);
    return far?.up ? addressesOf(far) : [];
  });
}

const addressesOf = (link: Link): Ip[] => link.addresses.map(({ cidr }) => cidr.ip);

function leftOut(netns: Netns): string[] {
  const sctp = netns.sockets
    .filter((socket) => socket.protocol === "sctp")
    .map((socket) => `${netns.id}: SCTP port ${socket.port} of ${socket.owner}`);
  return netns.id === ROUTER_ID ? [] : sctp;
}
