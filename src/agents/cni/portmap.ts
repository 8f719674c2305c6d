/**
 * The portmap plugin: hostPort of pods on the pod network (containernetworking/plugins plugins/meta/portmap/portmap.go).
 * Not modelled: masqAll, conditionsV4, externalSetMarkChain, the nftables back end.
 */
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { Match, Rule } from "../../linux/netfilter/rule.ts";
import type { Chain } from "../../linux/netfilter/table.ts";
import { type Cidr, type Family, familyOf, hostCidr, type Ip, networkOf, parseIp } from "../../net/address.ts";
import { type CauseId, NO_CAUSE } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { causeAt, transportOf } from "../machine.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";
import { cniChainName } from "./ip-masq.ts";
import { containerId } from "./names.ts";

/** One pod with its addresses, each with the length of its pod network. */
export type PortMapEntry = { readonly network: string; readonly pod: ClusterPod; readonly prefixes: readonly Cidr[] };

type PortMap = {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostIP?: Ip;
  readonly field: readonly (string | number)[];
};

/** markMasqBit 13. */
const MASQ_MARK = 0x2000;
const DNAT_CHAIN = "CNI-HOSTPORT-DNAT";
const SETMARK_CHAIN = "CNI-HOSTPORT-SETMARK";
const MASQ_CHAIN = "CNI-HOSTPORT-MASQ";
/** A multiport match holds at most this many ports (XT_MULTI_PORTS). */
const MULTIPORT_MAX = 15;

/** The host ports that a pod declares. */
export function portMapsOf(pod: ClusterPod): PortMap[] {
  return pod.containers.flatMap((container, c) =>
    (container.ports ?? []).flatMap((port, p) => {
      if (!port.hostPort) return [];
      const protocol = transportOf(port.protocol);
      const hostIP = port.hostIP === undefined ? undefined : parseIp(port.hostIP);
      const isAny = hostIP === undefined || hostIP === "0.0.0.0" || hostIP === "::";
      return [
        {
          hostPort: port.hostPort,
          containerPort: port.containerPort,
          protocol: protocol === "udp" || protocol === "sctp" ? protocol : ("tcp" as const),
          ...(isAny ? {} : { hostIP }),
          field: ["containers", c, "ports", p, "hostPort"],
        },
      ];
    }),
  );
}

/** nat chains of all host ports of a node. The masquerade jump is inserted in front, the others are appended. */
export function portMapParts(entries: readonly PortMapEntry[], causes: CauseTable): RulesetPart[] {
  return ([4, 6] as const).flatMap((family) => {
    const pods = entries.flatMap((entry) => podChains(entry, family, causes));
    if (pods.length === 0) return [];
    const dispatch: Rule = {
      matches: [{ kind: "addrtype", side: "dst", type: "LOCAL" }],
      target: { kind: "jump", chain: DNAT_CHAIN },
      cause: NO_CAUSE,
    };
    const masquerade = ruleOf([comment("CNI portfwd requiring masquerade")], { kind: "jump", chain: MASQ_CHAIN });
    const chains = [
      ...pods.map((each) => each.chain),
      chainOfRules(
        DNAT_CHAIN,
        pods.flatMap((each) => each.dispatch),
      ),
      chainOfRules(SETMARK_CHAIN, [ruleOf([comment("CNI portfwd masquerade mark")], { kind: "mark", value: MASQ_MARK, mask: MASQ_MARK })]),
      chainOfRules(MASQ_CHAIN, [ruleOf([{ kind: "mark", value: MASQ_MARK, mask: MASQ_MARK }], { kind: "masquerade", randomFully: false })]),
    ];
    return [
      partOf(family, "nat", chains, [
        { chain: "PREROUTING", at: "back", rules: [dispatch] },
        { chain: "OUTPUT", at: "back", rules: [dispatch] },
        { chain: "POSTROUTING", at: "front", rules: [masquerade] },
      ]),
    ];
  });
}

function podChains(
  entry: PortMapEntry,
  family: Family,
  causes: CauseTable,
): { readonly chain: Chain; readonly dispatch: readonly Rule[] }[] {
  const prefix = entry.prefixes.find((cidr) => familyOf(cidr.ip) === family);
  const maps = portMapsOf(entry.pod).filter((each) => each.hostIP === undefined || familyOf(each.hostIP) === family);
  if (!prefix || maps.length === 0) return [];
  const id = containerId(entry.pod);
  const name = cniChainName("DN-", entry.network, id);
  const note = comment(`dnat name: "${entry.network}" id: "${id}"`);
  const dispatch = (["sctp", "tcp", "udp"] as const).flatMap((protocol) => {
    const ports = maps.filter((each) => each.protocol === protocol).map((each) => each.hostPort);
    return chunks(ports).map((some) =>
      ruleOf(
        [
          { kind: "protocol", protocol },
          note,
          { kind: "multiport", which: "dports", ports: some.map((port) => ({ from: port, to: port })) },
        ],
        {
          kind: "jump",
          chain: name,
        },
      ),
    );
  });
  return [
    {
      dispatch,
      chain: chainOfRules(
        name,
        maps.flatMap((each) => mapRules(entry.pod, each, prefix, causes)),
      ),
    },
  ];
}

/** Traffic from the pod network itself, and over IPv4 from 127.0.0.1, must be masqueraded to come back. */
function mapRules(pod: ClusterPod, map: PortMap, prefix: Cidr, causes: CauseTable): Rule[] {
  const cause = portCause(pod, map, causes);
  const port: Match[] = [
    { kind: "protocol", protocol: map.protocol },
    { kind: "dport", protocol: map.protocol, ports: { from: map.hostPort, to: map.hostPort } },
  ];
  const host: Match[] = map.hostIP === undefined ? [] : [{ kind: "dst", cidr: hostCidr(map.hostIP) }];
  const marked = [networkOf(prefix), ...(familyOf(prefix.ip) === 4 ? [hostCidr("127.0.0.1")] : [])];
  return [
    ...marked.map(
      (cidr): Rule => ({ matches: [{ kind: "src", cidr }, ...host, ...port], target: { kind: "jump", chain: SETMARK_CHAIN }, cause }),
    ),
    {
      matches: [...host, ...port],
      target: { kind: "dnat", ip: prefix.ip, ports: { from: map.containerPort, to: map.containerPort } },
      cause,
    },
  ];
}

function portCause(pod: ClusterPod, map: PortMap, causes: CauseTable): CauseId {
  const origin = { source: pod.origin.source, field: [...pod.origin.field, "spec", ...map.field] };
  return causeAt(causes, "pod", { kind: "Pod", namespace: pod.namespace, name: pod.name }, origin, `hostPort ${map.hostPort}`);
}

const comment = (text: string): Match => ({ kind: "comment", text });
const ruleOf = (matches: readonly Match[], target: Rule["target"]): Rule => ({ matches, target, cause: NO_CAUSE });

const chunks = (ports: readonly number[]): number[][] =>
  Array.from({ length: Math.ceil(ports.length / MULTIPORT_MAX) }, (_, i) => ports.slice(i * MULTIPORT_MAX, (i + 1) * MULTIPORT_MAX));
