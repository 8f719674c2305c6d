/** A way to put a request to an ingress controller: the address of one of its pods, from a place that reaches it. */
import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import type { IngressController } from "../cluster/ingress-controllers.ts";
import { webQuestion } from "../trace/questions.ts";
import { type Answer, ask, podSource } from "./ask.ts";
import type { Url } from "./expectations.ts";
import type { Subject } from "./subject.ts";

/** The pods of a controller that run. */
export const controllerPods = ({ pods }: Cluster, controller: IngressController): readonly ClusterPod[] =>
  pods.filter(({ namespace, name, ips, node }) => ips.length > 0 && node !== undefined && controller.pods.has(`${namespace}/${name}`));

/** Where a controller takes plain HTTP: 80, unless its pod says otherwise by a port called http. */
export function httpPort({ containers }: ClusterPod): number {
  const ports = containers.flatMap((container) => container.ports ?? []);
  return (ports.find(({ name }) => name === "http") ?? ports.find(({ containerPort }) => containerPort === 80))?.containerPort ?? 80;
}

/** SOURCE from which a pod is reached whatever happens elsewhere: itself, or its node for one that has the node's network. */
export const sourceNear = (pod: ClusterPod): string => (pod.hostNetwork ? `node/${pod.node ?? ""}` : podSource(pod));

/** The request, asked of the controller's own pod from the node that it runs on: what it then does is the controller's doing alone. */
export function askController(subject: Subject, pod: ClusterPod, { host, path }: Pick<Url, "host" | "path">): Answer | undefined {
  const [address] = pod.ips;
  if (address === undefined) return undefined;
  return ask(subject, webQuestion({ from: sourceNear(pod), scheme: "http", host, port: httpPort(pod), path, address }));
}
