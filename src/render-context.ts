/** Tells the renderers what a Trace leaves out: who a network stack is, which object and line a cause stands for. */
import type { Cluster } from "./cluster/cluster.ts";
import { printRoute } from "./dialects/ip-route.ts";
import { printRule } from "./dialects/iptables/print-rule.ts";
import { printNftRef } from "./dialects/nft/print-rule.ts";
import type { NetnsId, World } from "./linux/netns.ts";
import { linkOf } from "./linux/route.ts";
import type { Input } from "./manifests/input.ts";
import type { CauseTable } from "./objects/cause.ts";
import { formatPlace, type PathPart, type Source } from "./objects/source.ts";
import type { NetnsView, RenderContext } from "./render/context.ts";
import { VERSION } from "./version.ts";

/** The context of one opened cluster. */
export function describeWorld(input: Input, cluster: Cluster, causes: CauseTable, world: World): RenderContext {
  const placeOf = (source: Source | undefined, field: readonly PathPart[]): { readonly place?: string } => {
    const place = source && input.sources.place(source, field);
    return place ? { place: formatPlace(place) } : {};
  };
  return {
    generator: { name: "ktrace", version: VERSION },
    describe: (netns) => viewOf(cluster, netns, placeOf),
    cause: (id) => {
      const cause = causes.lookup(id);
      if (!cause) return undefined;
      const { role, object, note } = cause;
      return { role, ...(object ? { object } : {}), ...(note === undefined ? {} : { note }), ...placeOf(cause.source, cause.field ?? []) };
    },
    ruleText: (ref) => (ref.nft ? printNftRef(ref) : printRule(ref.rule, ref.chain, ref.family)),
    routeText: (route) => printRoute(undefined, route),
    link: (netns, dev) => {
      const stack = world.netns(netns);
      return stack && linkOf(stack, dev);
    },
    segmentOf: (netns, dev) => segmentName(world, netns, dev),
  };
}

type PlaceOf = (source: Source | undefined, field: readonly PathPart[]) => { readonly place?: string };

function viewOf(cluster: Cluster, netns: NetnsId, placeOf: PlaceOf): NetnsView {
  const slash = netns.indexOf("/");
  const kind = netns.slice(0, slash);
  const name = netns.slice(slash + 1);
  if (kind === "pod") {
    const pod = cluster.pods.find((p) => `${p.namespace}/${p.name}` === name);
    const owner = pod?.workload ?? pod?.owner;
    return { kind: "pod", title: name, ...(owner ? { note: `${owner.kind} ${owner.name}` } : {}), ...placeOf(pod?.origin.source, []) };
  }
  if (kind === "firewall") {
    const origin = cluster.firewalls?.find((each) => each.name === name)?.origin;
    return { kind: "host", title: name, note: "firewall outside the cluster", ...placeOf(origin?.source, origin?.field ?? []) };
  }
  const machine = [...cluster.nodes, ...cluster.hosts].find((m) => m.kind === kind && m.name === name);
  const isBalancer = kind === "host" && cluster.loadBalancers?.some((each) => each.machine === name) === true;
  return {
    kind: kind === "node" ? "node" : "host",
    title: name,
    ...(isBalancer ? { note: "load balancer outside the cluster" } : {}),
    ...placeOf(machine?.origin?.source, machine?.origin?.field ?? []),
  };
}

/** A segment is named by its network, "net/10.0.2.0/24". */
function segmentName(world: World, netns: NetnsId, dev: string): string | undefined {
  const stack = world.netns(netns);
  const link = stack && linkOf(stack, dev);
  return link?.type.kind === "device" ? link.type.segment.replace(/^net\//, "") : undefined;
}
