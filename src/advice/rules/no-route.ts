/** The asker's kernel has no way: whose address it is, which way in there is from here, and the route that would help. */
import type { Machine } from "../../cluster/cluster.ts";
import { formatCidr, hostCidr, networkOf } from "../../net/address.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { addressFor, ask, askingMachine, callNode, nodesNear, withPort } from "../ask.ts";
import { at, type Case, type Change, change, type Finding, type Sentence } from "../case.ts";
import { editHost } from "../edits.ts";
import { addressKind, entranceOf, listed, nameOf, nodeOf, podAt, type Target, targetOf } from "../entrance.ts";
import { pingedService } from "./left-topology.ts";
import { waysIn } from "./ways-in.ts";

export function noRoute(failed: Case): Finding | undefined {
  const machine = askingMachine(failed);
  const ip = failed.leg.to.ip;
  if (!machine || ip === undefined) return undefined;
  const target = targetOf(failed.leg) ?? { ip, port: 0, protocol: failed.leg.to.protocol };
  if (targetOf(failed.leg) === undefined && pingedService(failed)) return pingedService(failed);
  const known = machine.interfaces.flatMap((each) => each.addresses.map((cidr) => formatCidr(networkOf(cidr))));
  const place = failed.place(machine.origin?.source, [...(machine.origin?.field ?? []), "routes"]);
  const head: Sentence = {
    text: `${machine.name} knows the way to ${listed([...new Set(known)])}${machine.routes.length > 0 ? " and by its `routes`" : " only: it has no other route"}`,
    ...at(place),
  };
  const whose = whoseAddress(failed, target);
  return { because: [head, ...(whose?.because ?? [])], changes: [...(whose?.changes ?? []), ...addRoute(failed, machine, target, place)] };
}

function whoseAddress(failed: Case, target: Target): Finding | undefined {
  const { cluster } = failed;
  const service = cluster.services.find((each) => addressKind(each, target.ip) !== undefined);
  if (service) {
    const port = entranceOf(cluster, target)?.port ?? service.ports[0];
    const text = `${target.ip} is the cluster address of ${nameOf(service)}: no machine has it, and only nodes and their pods rewrite it`;
    return { because: [{ text }], changes: waysIn(failed, service, port) };
  }
  const node = nodeOf(cluster, target.ip);
  if (node) {
    const near = addressFor(askingMachine(failed), node);
    const text = `${target.ip} is an address of ${node.name} on a network that ${failed.leg.from.name} is not on`;
    const { port } = failed.question.to;
    return near === target.ip
      ? { because: [{ text }], changes: [] }
      : {
          because: [{ text: `${text}; on the network that they share it is ${near}` }],
          changes: [change(`ask ${withPort(near, port)}`, undefined, () => ask(failed, { host: near }))],
        };
  }
  const pod = podAt(cluster, target.ip);
  if (!pod) return undefined;
  const behind = cluster.services.find(
    (each) => each.namespace === pod.namespace && each.selector !== undefined && matchesLabels(each.selector, pod.labels),
  );
  const text = `${target.ip} is the address of pod ${nameOf(pod)}: pod addresses mean something inside the cluster only`;
  return { because: [{ text }], changes: behind ? waysIn(failed, behind, behind.ports[0]) : [] };
}

/** By the asked node if it can be told, else by the first that answers: every node rewrites for all Services. */
function addRoute(failed: Case, machine: Machine, { ip }: Target, place: string | undefined): Change[] {
  if (machine.kind !== "host" || failed.topology.hosts?.some(({ name }) => name === machine.name) !== true) return [];
  const { cluster } = failed;
  const cidr = [...cluster.serviceCIDRs, ...cluster.podCIDRs].find(
    (each) => formatCidr(networkOf({ ...each, ip })) === formatCidr(networkOf(each)),
  );
  const node = nodeOf(cluster, ip) ?? podNode(failed, ip) ?? nodesNear(failed).at(-1);
  if (!node || (!cidr && !nodeOf(cluster, ip))) return [];
  const via = addressFor(machine, node);
  const to = formatCidr(cidr ?? hostCidr(ip));
  if (via === ip) return [];
  const name = callNode(failed, node);
  return [
    change(`route ${to} by ${name === via ? node.name : name}: routes: [{to: ${to}, via: ${via}}]`, place, () =>
      editHost(failed, machine.name, (host) => ({ ...host, routes: [...(host.routes ?? []), { to, via }] })),
    ),
  ];
}

function podNode({ cluster }: Case, ip: string) {
  const pod = podAt(cluster, ip);
  return cluster.nodes.find(({ name }) => name === pod?.node);
}
