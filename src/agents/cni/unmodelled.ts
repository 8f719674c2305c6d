/**
 * Stands where a network plugin is known by name and not modelled: packets from and to its pods end as `unknown`, said aloud,
 * and all else (nodes, hostNetwork pods, kube-proxy's own decisions) is traced as ever. Nothing of this exists on a real node.
 */
import type { Cluster, ClusterPod } from "../../cluster/cluster.ts";
import type { Match, Rule } from "../../linux/netfilter/rule.ts";
import type { Link, Route } from "../../linux/netns.ts";
import { anyCidr, type Cidr, cidrContains, familyOf, hostCidr } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { EXISTING_PLUGINS } from "../../objects/cni-plugins.ts";
import type { CniSettings } from "../../objects/topology.ts";
import { defaultMetric, ETHERNET_MTU } from "../machine.ts";
import { partOf, type RulesetPart } from "../ruleset.ts";
import { undecidedServices } from "../unmodelled-proxy.ts";
import { derivedMac, podNetns } from "./names.ts";
import { EMPTY_NODE } from "./none.ts";
import type { CniNetwork, CniSite } from "./plugin.ts";
import { portMapsOf } from "./portmap.ts";

/** flannel-io/flannel Documentation/backends.md. */
const FLANNEL_BACKENDS: ReadonlySet<string> = new Set(
  "wireguard udp ipip ipsec alloc extension aws-vpc gce ali-vpc tencent-vpc".split(" "),
);

/** Why nothing can be said of the plugin's packets; undefined when it is modelled, or no such plugin exists. */
export function notModelledText(
  { plugin, backend }: CniSettings & { readonly plugin: string },
  modelled: readonly string[],
): string | undefined {
  if (plugin === "flannel" && backend !== undefined && FLANNEL_BACKENDS.has(backend))
    return `flannel's backend ${backend} is not modelled: how packets get from node to node is not known`;
  if (modelled.includes(plugin)) return undefined;
  if (plugin === "unrecognised") return "which network plugin serves the pods is not in the input (spec.cni.plugin of a topology says it)";
  const several = plugin.split("+");
  if (several.length > 1)
    return `${several.join(" and ")} are both installed: which of them serves the pods is not in the input (spec.cni.plugin of a topology says it)`;
  return EXISTING_PLUGINS.has(plugin)
    ? `the network plugin ${plugin} is not modelled: how packets get from and to its pods is not known`
    : undefined;
}

/** Its device stands for all that the plugin would have made. */
const DEVICE = "not-modelled";

/** A network of which only the pods' addresses are known. */
export function unmodelled(cluster: Cluster, text: string, causes: CauseTable): CniNetwork {
  const cause = causes.add({ role: "cni", note: text });
  const ranges = podRanges(cluster);
  const rulesFor = (sites: readonly ("src" | "dst")[], family: 4 | 6): Rule[] =>
    ranges
      .filter((cidr) => familyOf(cidr.ip) === family)
      .flatMap((cidr) => sites.map((kind): Rule => ({ matches: [{ kind, cidr }], target: { kind: "unknown", text }, cause })));
  const parts = ([4, 6] as const).map((family) =>
    partOf(
      family,
      "filter",
      [],
      [
        { chain: "FORWARD", at: "front", rules: rulesFor(["src", "dst"], family) },
        { chain: "OUTPUT", at: "front", rules: rulesFor(["dst"], family) },
      ],
    ),
  );
  const services =
    cluster.cni.replacesKubeProxy === true
      ? undecidedServices(cluster, `${cluster.cni.plugin} serves Services in kube-proxy's place, and is not modelled`, causes)
      : [];
  return {
    node: (site) => ({
      ...EMPTY_NODE,
      links: [deviceOf(`node/${site.node.name}`, cause)],
      routes: ranges.map((cidr) => routeTo(cidr, cause)),
      parts: [...parts, ...hostPorts(site, text, cause), ...services],
    }),
    pod: (_node, pod) => inPod(pod, text, cause),
    addresses: () => [],
    makes: (link) => link === DEVICE,
  };
}

/** The pod prefixes, and pods' addresses outside them (plugins with address ranges of their own). */
function podRanges(cluster: Cluster): Cidr[] {
  const ips = cluster.pods.filter((pod) => !pod.hostNetwork).flatMap((pod) => pod.ips);
  const outside = [...new Set(ips)].filter((ip) => !cluster.podCIDRs.some((cidr) => cidrContains(cidr, ip)));
  return [...cluster.podCIDRs, ...outside.map(hostCidr)];
}

const deviceOf = (owner: string, cause: CauseId): Link => ({
  name: DEVICE,
  mac: derivedMac(`${owner} ${DEVICE}`),
  mtu: ETHERNET_MTU,
  up: true,
  carrier: true,
  addresses: [],
  type: { kind: "dummy" },
  cause,
});

const routeTo = (to: Cidr, cause: CauseId): Route => ({
  type: "unicast",
  to,
  dev: DEVICE,
  metric: defaultMetric(familyOf(to.ip)),
  scope: "link",
  cause,
});

/** Some plugins serve hostPorts, by ways of their own. */
function hostPorts(site: CniSite, text: string, cause: CauseId): RulesetPart[] {
  const rules = site.pods.flatMap(portMapsOf).flatMap(({ protocol, hostPort }): Rule[] => {
    const matches: readonly Match[] = [
      { kind: "protocol", protocol },
      { kind: "addrtype", side: "dst", type: "LOCAL" },
      { kind: "dport", protocol, ports: { from: hostPort, to: hostPort } },
    ];
    return [{ matches, target: { kind: "unknown", text: `hostPort ${hostPort}: ${text}` }, cause }];
  });
  const chains = ["PREROUTING", "OUTPUT"] as const;
  return rules.length === 0
    ? []
    : [
        partOf(
          4,
          "nat",
          [],
          chains.map((chain) => ({ chain, at: "back" as const, rules })),
        ),
      ];
}

/** All that a pod sends to another address meets the plugin. */
function inPod(pod: ClusterPod, text: string, cause: CauseId): ReturnType<CniNetwork["pod"]> {
  const families = [...new Set(pod.ips.map(familyOf))];
  const eth0 = {
    ...deviceOf(podNetns(pod), cause),
    name: "eth0",
    addresses: pod.ips.map((ip) => ({ cidr: hostCidr(ip), scope: "global" as const })),
  };
  const rule: Rule = { matches: [{ kind: "out", name: "eth0" }], target: { kind: "unknown", text }, cause };
  return {
    links: [eth0],
    routes: families.map((family) => ({ ...routeTo(anyCidr(family), cause), dev: "eth0" })),
    parts: families.map((family) => partOf(family, "filter", [], [{ chain: "OUTPUT", at: "front", rules: [rule] }])),
  };
}
