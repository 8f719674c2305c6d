/**
 * The network stack that a pod's containers share: the sandbox that kubelet makes before any of them. lo comes from the
 * loopback plugin, the rest from the CNI plugin. It holds no netfilter rules, unless the plugin puts some there.
 */
import type { ClusterNode, ClusterPod } from "../cluster/cluster.ts";
import { NO_NETFILTER } from "../linux/netfilter/table.ts";
import type { Netns } from "../linux/netns.ts";
import { familyOf } from "../net/address.ts";
import type { CauseTable } from "../objects/cause.ts";
import { podNetns } from "./cni/names.ts";
import type { CniNetwork } from "./cni/plugin.ts";
import { connectedRoutes } from "./connected-routes.ts";
import { hostnameOf } from "./kubelet/hosts-file.ts";
import { boundSockets, podSockets } from "./kubelet/sockets.ts";
import { causeAt, loopbackLink } from "./machine.ts";
import { mergeRuleset } from "./ruleset.ts";

/** Whether the pod's sandbox exists: it was started, has addresses, and has not ended. */
export const isRunning = (pod: ClusterPod): boolean =>
  !pod.dead && pod.node !== undefined && pod.ips.length > 0 && (pod.phase === "Running" || pod.phase === "Unknown");

/** Whether the pod has a network stack of its own. */
export const hasOwnNetns = (pod: ClusterPod): boolean => isRunning(pod) && !pod.hostNetwork;

/** The network stack of a pod that is not hostNetwork. */
export function podNetnsOf(node: ClusterNode, pod: ClusterPod, cni: CniNetwork, causes: CauseTable): Netns {
  const cause = causeAt(causes, "pod", { kind: "Pod", namespace: pod.namespace, name: pod.name }, pod.origin);
  const state = cni.pod(node, pod);
  const ipv6 = pod.ips.some((ip) => familyOf(ip) === 6);
  const links = [loopbackLink(ipv6, cause), ...state.links];
  return {
    id: podNetns(pod),
    hostname: hostnameOf(pod),
    links,
    routes: [...state.routes, ...connectedRoutes(links)],
    neighbours: [],
    fdb: [],
    sysctls: {},
    netfilter: state.parts ? mergeRuleset(state.parts) : NO_NETFILTER,
    sockets: boundSockets(podSockets(pod, causes)),
    cause,
  };
}
