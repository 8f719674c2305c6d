/**
 * Services that a node has no rule for, where a reader expects one: an address that ipMode Proxy leaves to the balancer
 * (KEP-1860), a Service without node ports (allocateLoadBalancerNodePorts, type ClusterIP), ExternalName, headless.
 */
import type { ClusterNode, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { ask, withPort } from "../ask.ts";
import { at, type Case, type Change, change, type Finding, type Sentence } from "../case.ts";
import { editService } from "../edits.ts";
import { addressKind, nameOf, type Target } from "../entrance.ts";
import { waysIn } from "./ways-in.ts";

/** A balancer's address that no node takes: packets from inside go out to the balancer too. */
export function proxiedAddress(failed: Case, service: ClusterService, target: Target): Finding | undefined {
  const index = service.loadBalancerIngress.findIndex(({ ip, ipMode }) => ip === target.ip && ipMode === "Proxy");
  if (index === -1 || addressKind(service, target.ip) !== "load-balancer-ip") return undefined;
  const place = failed.place(service.origin?.source, ["status", "loadBalancer", "ingress", index, "ipMode"]);
  const port = service.ports.find((each) => each.port === target.port && each.protocol.toLowerCase() === target.protocol);
  const text = `${target.ip} is the balancer's own address: ipMode Proxy of ${nameOf(service)} keeps it out of every node's rules, so only the balancer answers there`;
  return {
    because: [{ text, ...at(place) }],
    changes: [
      ...byClusterAddress(failed, service, port),
      ...waysIn(failed, { ...service, loadBalancerIngress: [] }, port),
      {
        text: `to follow it further, describe the balancer under \`loadBalancers\` of the topology`,
        outcome: "it is yours to describe",
      },
    ],
  };
}

/** A port asked of a node, of a Service that has no node port for it. */
export function withoutNodePort(failed: Case, { port: asked, protocol }: Target, node: ClusterNode): Finding | undefined {
  const { nodePortRange: range, services } = failed.cluster;
  const inRange = asked >= range.from && asked <= range.to;
  const lacking = services.flatMap((service) =>
    service.type === "ExternalName" || service.clusterIPs.includes("None")
      ? []
      : service.ports
          .filter((port) => port.nodePort === undefined && port.protocol.toLowerCase() === protocol)
          .filter(
            (port) => port.port === asked || port.targetPort === asked || (inRange && service.allocateLoadBalancerNodePorts === false),
          )
          .map((port) => ({ service, port })),
  );
  const [meant] = lacking;
  if (!meant || lacking.some(({ service }) => service !== meant.service)) return undefined;
  const { service, port } = meant;
  const isOff = service.allocateLoadBalancerNodePorts === false;
  const place = failed.place(service.origin?.source, ["spec", isOff ? "allocateLoadBalancerNodePorts" : "type"]);
  const why = isOff ? "allocateLoadBalancerNodePorts is false" : `its type is ${service.type}`;
  return {
    because: [
      { text: `Nothing on ${node.name} listens on ${asked}/${port.protocol}` },
      { text: `${nameOf(service)} has no node port: ${why}`, ...at(place) },
    ],
    changes: [
      ...(inRange ? [giveNodePort(failed, service, port, asked, place)] : []),
      ...byClusterAddress(failed, service, port),
      ...waysIn(failed, service, port),
    ],
  };
}

function giveNodePort(failed: Case, service: ClusterService, port: ClusterServicePort, asked: number, place: string | undefined): Change {
  const isOff = service.allocateLoadBalancerNodePorts === false;
  const type = isOff ? "allocateLoadBalancerNodePorts: true" : "type: NodePort";
  return change(`${type}, and nodePort: ${asked} at its port ${port.port}`, place, () =>
    editService(failed, service, (spec) => ({
      ...spec,
      ...(isOff ? { allocateLoadBalancerNodePorts: true } : { type: "NodePort" as const }),
      ports: (spec.ports ?? []).map((each, i) => (i === port.index ? { ...each, nodePort: asked } : each)),
    })),
  );
}

/** Inside the cluster the Service's own address does. */
function byClusterAddress(failed: Case, service: ClusterService, port: ClusterServicePort | undefined): Change[] {
  const [ip] = service.clusterIPs;
  if (ip === undefined || port === undefined || failed.trace.request.from.kind === "host") return [];
  return [change(`ask its cluster address: ${withPort(ip, port.port)}`, undefined, () => ask(failed, { host: ip, port: port.port }))];
}

/** The Service that the question names, as a pod calls it: `web`, `web.other`. */
function askedService({ cluster, question, trace }: Case): ClusterService | undefined {
  const { from } = trace.request;
  const [name = "", namespace = from.namespace ?? question.namespace] = question.to.host.split(".");
  return from.kind === "pod" ? cluster.services.find((each) => each.name === name && each.namespace === namespace) : undefined;
}

/** A Service that is a name for another name. */
export function externalName(failed: Case): Finding | undefined {
  const service = askedService(failed);
  if (service?.type !== "ExternalName" || service.externalName === undefined) return undefined;
  const place = failed.place(service.origin?.source, ["spec", "externalName"]);
  const text = `${nameOf(service)} is of type ExternalName: the cluster's DNS answers with the name ${service.externalName}, and kube-proxy writes nothing for it`;
  return {
    because: [{ text, ...at(place) }],
    changes: [
      {
        text: `tell its address: \`dns: {records: [{name: ${service.externalName}, value: ADDRESS}]}\` of the topology`,
        outcome: "the address is yours to know",
      },
    ],
  };
}

/** Why a headless Service's name met a pod at the Service's port. */
export function headlessSentence(failed: Case, asked: number): Sentence | undefined {
  const service = askedService(failed);
  const port = service?.ports.find((each) => each.port === asked && each.targetPort !== asked);
  if (!service?.clusterIPs.includes("None") || !port) return undefined;
  const place = failed.place(service.origin?.source, ["spec", "clusterIP"]);
  const text = `${nameOf(service)} is headless: its name leads to the pods themselves, and no rule turns its port ${asked} into targetPort ${port.targetPort}`;
  return { text, ...at(place) };
}
