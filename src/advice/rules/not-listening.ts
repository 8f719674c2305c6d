/**
 * A closed port: of a pod that listens elsewhere, of a node where no process and no node port is, or of an outside host.
 * What a pod listens on is what its containers declare, its probes ask and the topology says (cluster/workloads/listens.ts).
 */
import type { ClusterPod, PodListen } from "../../cluster/cluster.ts";
import type { Port } from "../../net/packet.ts";
import { ask, withPort } from "../ask.ts";
import { at, type Case, change, type Finding } from "../case.ts";
import { addressKind, type Entrance, entranceOf, listed, nameOf, nodeOf, podAt, type Target, targetOf } from "../entrance.ts";
import { proxiedEntrance } from "./backend.ts";
import { closedNodePort } from "./closed-node-port.ts";
import { wrongServicePort } from "./left-topology.ts";
import { headlessSentence } from "./no-entrance.ts";
import { targetPortChanges } from "./target-port.ts";

export function notListening(failed: Case): Finding | undefined {
  const target = targetOf(failed.leg);
  if (!target) return undefined;
  const { destination } = failed.leg;
  const pod = destination?.kind === "pod" ? podNamed(failed, destination) : undefined;
  if (pod) return closedPodPort(failed, target, pod, destination?.port);
  const wrongPort = nodeOf(failed.cluster, target.ip) ? undefined : onKubeIpvs0(failed, target);
  if (wrongPort) return wrongPort;
  const node =
    nodeOf(failed.cluster, target.ip) ?? failed.cluster.nodes.find(({ name }) => `node/${name}` === failed.leg.hops.at(-1)?.netns);
  return node ? closedNodePort(failed, target, node) : closedHostPort(failed, target);
}

/** A Service's address that ipvs mode gave to a device of every node: up to 1.25 the node itself answers on ports that the Service lacks. */
function onKubeIpvs0(failed: Case, target: Target): Finding | undefined {
  const { cluster, leg } = failed;
  const service = cluster.services.find((each) => addressKind(each, target.ip) !== undefined);
  if (cluster.kubeProxy.mode !== "ipvs" || !service) return undefined;
  const { because, changes } = wrongServicePort(failed, service, target);
  const node = leg.hops.at(-1)?.netns.replace(/^node\//, "");
  return { because: [...because, { text: `${target.ip} is on kube-ipvs0 of every node, so ${node} itself answered` }], changes };
}

const podNamed = ({ cluster }: Case, { namespace, name }: { readonly namespace?: string; readonly name: string }) =>
  cluster.pods.find((pod) => pod.namespace === namespace && pod.name === name);

function closedPodPort(failed: Case, target: Target, pod: ClusterPod, asked: Port | undefined): Finding {
  const protocol = target.protocol.toUpperCase();
  const open = pod.listens.filter((each) => each.protocol === protocol);
  const entrance = podAt(failed.cluster, target.ip) === undefined ? entranceOf(failed.cluster, target) : proxiedEntrance(failed);
  const [first] = open;
  const who = pod.workload ? `The pods of ${pod.workload.kind} ${pod.workload.name}` : `Pod ${pod.name}`;
  const verb = pod.workload ? "listen" : "listens";
  const on = open.length === 0 ? nothingText(pod, protocol) : `on ${listed(open.map(({ port }) => `${port}`))}`;
  const declared = first?.origin === undefined ? {} : at(failed.place(first.origin.source, first.origin.field));
  const source = entrance && failed.place(entrance.service.origin?.source, ["spec", "ports", entrance.port.index, "targetPort"]);
  const headless = entrance ? undefined : headlessSentence(failed, target.port);
  const sent = entrance
    ? [{ text: `The targetPort of ${nameOf(entrance.service)} is ${entrance.port.targetPort}`, ...at(source) }]
    : [headless ?? { text: `${target.ip} was asked on port ${asked ?? target.port}` }];
  return {
    because: [...sent, { text: `${who} ${verb} ${on}`, ...declared }],
    changes: entrance ? toListener(failed, entrance, open) : askPorts(failed, open),
  };
}

const nothingText = (pod: ClusterPod, protocol: string): string => {
  const other = pod.listens.map((each) => `${each.port}/${each.protocol}`);
  return other.length === 0 ? "on nothing that the input names" : `on ${listed(other)}, on no ${protocol} port`;
};

/** A named targetPort follows its container port, so only a number can miss. */
const toListener = (failed: Case, entrance: Entrance, open: readonly PodListen[]) => [
  ...targetPortChanges(
    failed,
    entrance,
    open.map(({ port }) => port),
  ),
  ...(open.length === 0 ? [{ text: "name what the pods listen on: `listens` of the topology's pods, or containerPort" }] : []),
];

const askPorts = (failed: Case, open: readonly { readonly port: number }[]) =>
  open.slice(0, 3).map(({ port }) => change(`ask ${withPort(failed.question.to.host, port)}`, undefined, () => ask(failed, { port })));

function closedHostPort(failed: Case, target: Target): Finding | undefined {
  const host = failed.cluster.hosts.find((each) => each.interfaces.some(({ addresses }) => addresses.some(({ ip }) => ip === target.ip)));
  if (!host) return undefined;
  const open = host.listens.filter((each) => (each.protocol ?? "TCP").toLowerCase() === target.protocol);
  const place = failed.place(host.origin?.source, [...(host.origin?.field ?? []), "listens"]);
  const on = open.length === 0 ? "nothing" : listed(open.map(({ port }) => `${port}`));
  return {
    because: [{ text: `${host.name} listens on ${on}, as far as the topology says`, ...at(place) }],
    changes: [...askPorts(failed, open), { text: `if it does, list the port under its \`listens\``, ...at(place) }],
  };
}
