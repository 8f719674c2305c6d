/**
 * What a trace rests on that the input did not say: of all that was assumed about the cluster, what this request met. A
 * machine whose interfaces were made up matters to the packet that went through it, and to no other.
 */
import type { Assumption, Cluster, ClusterPod, ClusterService } from "./cluster/cluster.ts";
import { API_SERVER_PORT } from "./cluster/nodes/api-server.ts";
import { matchesGlob } from "./cluster/workloads/pins.ts";
import type { Topology } from "./objects/topology.ts";
import type { Leg, Trace } from "./trace/trace.ts";

/** The assumptions that bear on the trace, the DNS's and the machines' first. */
export function assumedIn(cluster: Cluster, topology: Topology, trace: Trace): Trace["assumed"] {
  const met = whatWasMet(trace, cluster);
  const placed = cluster.pods
    .filter((pod) => met.pods.has(`${pod.namespace}/${pod.name}`))
    .some((pod) => !isStated(pod, topology) && !(pod.hostNetwork && pod.owner?.kind === "DaemonSet"));
  const told = topology.source !== undefined;
  return cluster.assumptions
    .filter((one) => bearsOn(one, cluster, met, placed) && !(told && DOCUMENTED.has(one.about)))
    .map(({ about, what, key }) => ({ what: `${about}: ${what}`, ...(key === undefined ? {} : { key }) }));
}

/** Who writes a topology file leaves these keys to their documented defaults; who has none knows of no keys. */
const DOCUMENTED: ReadonlySet<string> = new Set(["kube-proxy", "cni"]);

type Met = {
  readonly netns: ReadonlySet<string>;
  readonly pods: ReadonlySet<string>;
  readonly rewritten: boolean;
  readonly legs: readonly Leg[];
  readonly services: ReadonlySet<string>; // that were asked
};

function whatWasMet({ paths }: Trace, { services }: Cluster): Met {
  const legs = paths.flatMap((path) => path.legs);
  const hops = legs.flatMap((leg) => [leg, ...(leg.arms ?? [])].flatMap(({ hops, reply }) => [...hops, ...reply.hops]));
  return {
    netns: new Set(hops.map((hop) => hop.netns)),
    pods: new Set(legs.filter(({ kind }) => kind === "transport").flatMap(podsOf)),
    rewritten: hops.some((hop) => hop.netns.startsWith("node/") && hop.steps.some((step) => step.kind === "nat" && step.manip === "dst")),
    legs,
    services: new Set(
      services.filter((service) => legs.some((leg) => isAskedOf(service, leg))).map(({ namespace, name }) => `${namespace}/${name}`),
    ),
  };
}

function bearsOn({ about, what }: Assumption, cluster: Cluster, { netns, rewritten, legs, services }: Met, placed: boolean): boolean {
  const [kind = "", name = ""] = about.split(" ");
  switch (kind) {
    case "node":
    case "host":
      return netns.has(`${kind}/${name}`) && (!what.startsWith("the API server") || legs.some(({ to }) => to.port === API_SERVER_PORT));
    case "Service":
      return services.has(name);
    case "kube-proxy":
      return rewritten;
    case "cni":
      return [...netns].some((id) => id.startsWith("pod/"));
    case "pods":
    case "pod":
      return placed && about !== "pod names";
    default:
      return about === "the cluster's DNS" && legs.some((leg) => leg.kind === "dns" && leg.to.ip === cluster.clusterDNS[0]);
  }
}

/** The pods at both ends: those of a name server answer alike wherever they run. */
const podsOf = ({ from, destination, arms = [] }: Leg): string[] =>
  [from, destination, ...arms.map((arm) => arm.destination)].flatMap((end) =>
    end?.kind === "pod" ? [`${end.namespace}/${end.name}`] : [],
  );

/** A dump states where a pod runs and its address; the topology may. */
const isStated = ({ namespace, name, object }: ClusterPod, { pods = [] }: Topology): boolean =>
  object?.status?.podIP !== undefined || pods.some((pin) => matchesGlob(pin.name, `${namespace}/${name}`));

/** Whether the leg was sent to an address or port that the Service was given. */
const isAskedOf = ({ clusterIPs, ports }: ClusterService, { to }: Leg): boolean =>
  to.ip !== undefined && (clusterIPs.includes(to.ip) || ports.some(({ nodePort }) => nodePort !== undefined && nodePort === to.port));
