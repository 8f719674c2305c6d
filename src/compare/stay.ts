/** A changed input in a cluster that is running: pods that are there stay on their nodes and keep their addresses. */
import type { TopologyPod } from "../objects/topology.ts";
import type { Manifests } from "./changes.ts";
import type { Reachable } from "./matrix.ts";
import { isRunning, podName } from "./who.ts";

/** Opens an input for questions; undefined when it cannot stand. */
export type Opener = (input: Manifests) => Reachable | undefined;

/** Opens the changed input with the old cluster's pods pinned; `moves` says which of them have to go elsewhere. */
export function openRunning(
  open: Opener,
  input: Manifests,
  old: Reachable | undefined,
  moves: (node: string) => boolean = () => false,
): Reachable | undefined {
  const first = open(input);
  if (!first || !old) return first;
  const there = new Map(old.cluster.pods.map((pod) => [podName(pod), pod]));
  let isSame = true;
  const pins = first.cluster.pods.flatMap((pod): TopologyPod[] => {
    const earlier = there.get(podName(pod));
    const [ip] = earlier?.ips ?? [];
    if (!earlier || !isRunning(earlier) || earlier.hostNetwork || earlier.node === undefined || ip === undefined) return [];
    if (moves(earlier.node)) return [];
    isSame &&= earlier.node === pod.node && ip === pod.ips[0];
    return [{ name: podName(pod), node: earlier.node, ip }];
  });
  const stated = new Set((input.topology.pods ?? []).map(({ name }) => name));
  const more = pins.filter(({ name }) => !stated.has(name));
  return isSame ? first : open({ ...input, topology: { ...input.topology, pods: [...(input.topology.pods ?? []), ...more] } });
}
