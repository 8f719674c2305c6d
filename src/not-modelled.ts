/** Kinds of known networking groups that were passed over: a path that they could change says so instead of ignoring them. */
import type { Cluster } from "./cluster/cluster.ts";
import type { Diagnostic } from "./objects/diagnostic.ts";
import type { Trace } from "./trace/trace.ts";

type Reach = (trace: Trace, cluster: Cluster) => boolean;

const isHttp: Reach = ({ request }) => request.url !== undefined;
const isPod = (party: { readonly kind: string } | undefined): boolean => party?.kind === "pod";
const meetsPod: Reach = ({ request, paths }) => isPod(request.from) || paths.some(({ destination }) => isPod(destination));
/** Addresses that nobody in the model has may be what a balancer announces. */
const leavesOrAsksBalancer: Reach = ({ paths, request }, { services }) =>
  paths.some(({ verdict, reason }) => verdict === "exits" || reason === "no-route" || reason === "host-unreachable") ||
  services.some(({ loadBalancerIngress }) => loadBalancerIngress.some(({ ip }) => ip !== undefined && ip === request.to.ip));

/** By API group, what its kinds act on: HTTP routes, pods' packets, balancers' addresses. The first that fits counts. */
const REACHES: readonly (readonly [RegExp, Reach])[] = [
  [/^(gateway\.networking\.k8s\.io|traefik\.|projectcontour\.io|configuration\.konghq\.com)/, isHttp],
  [/^(metallb\.io|multicluster\.x-k8s\.io|submariner\.io)/, leavesOrAsksBalancer],
  [/./, meetsPod],
];

/** One line for each kind that the trace could depend on. `findings`: those of reading the input. */
export function notModelledIn(findings: readonly Diagnostic[], cluster: Cluster, trace: Trace): readonly string[] {
  return findings.flatMap(({ code, message }) => {
    const [, kind, group] = (code === "not-modelled" && /^(\S+) \(([^/\s]+)\/\S+\) is not modelled/.exec(message)) || [];
    const reaches = REACHES.find(([groups]) => group !== undefined && groups.test(group))?.[1];
    if (kind === undefined || !reaches?.(trace, cluster)) return [];
    return [`${kind} (${group}) is in the input and not modelled: it could change this path`];
  });
}
