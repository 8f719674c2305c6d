/**
 * A port of a node where nothing is: the proxy pod that runs on other nodes only, the Service whose port was taken for a
 * node port, the node port that was nearly typed.
 */
import type { Cluster, ClusterNode, ClusterPod, ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { formatCidr, networkOf } from "../../net/address.ts";
import { distance } from "../../objects/near.ts";
import { type PodMaker, podMakers } from "../../objects/pod-maker.ts";
import { addressFor, ask, askByProtocol, askingMachine, callNode, withPort } from "../ask.ts";
import { type Case, type Change, change, type Finding, type Sentence, type Try } from "../case.ts";
import { editTopology } from "../edits.ts";
import { listed, nameOf, type Target } from "../entrance.ts";
import { hostsOfIngresses } from "./ingress-hosts.ts";
import { withoutNodePort } from "./no-entrance.ts";
import { tolerate, whyNotOn } from "./pending.ts";

export function closedNodePort(failed: Case, target: Target, node: ClusterNode): Finding {
  const takers = takersOf(failed.cluster, target).filter((pod) => pod.node !== node.name);
  if (takers.length > 0) return elsewhere(failed, target, node, takers);
  const found = nodePorts(failed.cluster, target.protocol);
  const exact = found.find(({ port }) => port.nodePort === target.port);
  if (exact) return otherAddress(failed, target, node, exact);
  const alike = found.filter(({ port }) => port.port === target.port || port.targetPort === target.port);
  const other = nodePorts(failed.cluster).find(({ port }) => port.nodePort === target.port);
  const [meant] = alike;
  const without = meant || other ? undefined : withoutNodePort(failed, target, node);
  if (without) return without;
  const near = [...found].sort((a, b) => errors(a.port, target.port) - errors(b.port, target.port));
  const offered = [...new Set([...alike, ...near])].slice(0, 2);
  const host = callNode(failed, node);
  return {
    because: [
      meant && !other
        ? taken(target, node, meant)
        : { text: `Nothing on ${node.name} listens on ${target.port}/${target.protocol.toUpperCase()}, and no Service has that node port` },
      ...(other ? [{ text: `Node port ${target.port} of ${nameOf(other.service)} is for ${other.port.protocol}` }] : []),
      ...(found.length > 0 ? [{ text: `Node ports for ${target.protocol.toUpperCase()}: ${listed(found.map(portText), 6)}` }] : []),
    ],
    changes: [
      ...(other ? askByProtocol(failed, other.port.protocol.toLowerCase(), target.port) : []),
      ...offered.map(({ service, port }) =>
        change(`ask ${withPort(host, port.nodePort)}, the node port of ${nameOf(service)}`, undefined, () =>
          ask(failed, { host, port: port.nodePort ?? 0 }),
        ),
      ),
    ],
  };
}

/** The node port is right, the address is none that kube-proxy takes node ports at (--nodeport-addresses; `primary` in nftables mode). */
function otherAddress(failed: Case, { ip, port }: Target, node: ClusterNode, { service }: NodePort): Finding {
  const { kubeProxy, topology } = { kubeProxy: failed.cluster.kubeProxy, topology: failed.topology };
  const written = kubeProxy.nodePortAddresses ?? [];
  const place = failed.place(topology.source, ["spec", "kubeProxy", "nodePortAddresses"]);
  const where = written.length > 0 ? `${listed(written)} only` : unlistedAddresses(kubeProxy.mode, node);
  const networks = node.interfaces.flatMap((each) =>
    each.addresses.filter((cidr) => cidr.ip === ip).map((cidr) => formatCidr(networkOf(cidr))),
  );
  const isLoopbackOff = kubeProxy.iptables?.localhostNodePorts === false && kubeProxy.mode === "iptables" && ip.startsWith("127.");
  const nodePortAddresses = [...(written.length > 0 ? written : node.internalIPs[0] ? [`${node.internalIPs[0]}/32`] : []), ...networks];
  const other = node.internalIPs.find((each) => each !== ip && !written.length);
  return {
    because: [
      {
        text: `Node port ${port} of ${nameOf(service)} is not at ${ip}: kube-proxy on ${node.name} takes node ports at ${where}`,
        ...(place === undefined ? {} : { place }),
      },
    ],
    changes: [
      ...(other === undefined ? [] : [change(`ask ${withPort(other, port)}`, undefined, () => ask(failed, { host: other }))]),
      ...(isLoopbackOff ? [allowLocalhost(failed)] : []),
      change(`nodePortAddresses: [${nodePortAddresses.join(", ")}] of kube-proxy`, place, () =>
        editTopology(failed, (each) => ({ ...each, kubeProxy: { ...each.kubeProxy, nodePortAddresses } })),
      ),
    ],
  };
}

/** IPv4 and iptables mode only (--iptables-localhost-nodeports). */
const allowLocalhost = (failed: Case): Change =>
  change("iptables.localhostNodePorts: true of kube-proxy", failed.place(failed.topology.source, ["spec", "kubeProxy", "iptables"]), () =>
    editTopology(failed, (each) => ({
      ...each,
      kubeProxy: { ...each.kubeProxy, iptables: { ...each.kubeProxy?.iptables, localhostNodePorts: true } },
    })),
  );

/** Without nodePortAddresses: nftables mode has the primary address alone, the others every one; ipvs no virtual server on loopback. */
function unlistedAddresses(mode: Cluster["kubeProxy"]["mode"], node: ClusterNode): string {
  if (mode === "nftables") return `${node.internalIPs[0] ?? "its first address"} only, the default of nftables mode`;
  return mode === "ipvs" ? "every address but loopback, as ipvs mode does" : "every address but loopback (localhostNodePorts is off)";
}

type NodePort = { readonly service: ClusterService; readonly port: ClusterServicePort };

const nodePorts = (cluster: Cluster, protocol?: string): NodePort[] =>
  cluster.services.flatMap((service) =>
    service.ports
      .filter((port) => port.nodePort !== undefined && (protocol === undefined || port.protocol.toLowerCase() === protocol))
      .map((port) => ({ service, port })),
  );

const errors = (port: ClusterServicePort, asked: number): number => distance(String(port.nodePort), String(asked));
const portText = ({ service, port }: NodePort): string => `${port.nodePort} (${nameOf(service)})`;

/** 80 or 8080 asked of a node, as if it were the Service or the pod. */
function taken({ port: asked }: Target, node: ClusterNode, { service, port }: NodePort): Sentence {
  const what =
    port.port === asked
      ? `${asked} is the port of ${nameOf(service)} at its cluster address`
      : `${asked} is the port of the pods of ${nameOf(service)}`;
  return { text: `${what}; on a node its port is ${port.nodePort}, and nothing on ${node.name} listens on ${asked}` };
}

/** Pods that take this port on the nodes that they run on. */
const takersOf = (cluster: Cluster, { port, protocol }: Target): readonly ClusterPod[] =>
  cluster.pods.filter(
    (pod) =>
      pod.node !== undefined &&
      !pod.dead &&
      ((pod.hostNetwork && pod.listens.some((each) => each.port === port && each.protocol.toLowerCase() === protocol)) ||
        pod.containers.some((c) =>
          (c.ports ?? []).some((each) => each.hostPort === port && (each.protocol ?? "TCP").toLowerCase() === protocol),
        )),
  );

function elsewhere(failed: Case, target: Target, node: ClusterNode, takers: readonly ClusterPod[]): Finding {
  const [first] = takers;
  const { cluster } = failed;
  const maker = podMakers(failed.objects).find(
    (each) => each.namespace === first?.namespace && each.name === (first?.workload?.name ?? first?.name),
  );
  const nodes = cluster.nodes.filter((each) => takers.some((pod) => pod.node === each.name));
  const title = first?.workload ? `${first.workload.kind} ${first.workload.name}` : `Pod ${first?.name}`;
  const why = maker && whyNotOn(maker, node);
  const because: Sentence[] = [
    {
      text: `Nothing on ${node.name} listens on ${target.port}: ${title} does, and it runs on ${listed(nodes.map(({ name }) => name))} only`,
    },
    ...(why ? [{ text: `${node.name} has no pod of it: ${why.text}` }] : []),
  ];
  return {
    because,
    changes: [...askThere(failed, target, nodes), ...mapHost(failed, nodes, target), ...orToleration(failed, maker, node)],
  };
}

/** The same port of a node that has the process; for a proxy with the Host header that its rules want. */
function askThere(failed: Case, { port }: Target, nodes: readonly ClusterNode[]): Change[] {
  const { http, to } = failed.question;
  if (!isMachineName(failed, to.host)) return [];
  const [host] = hostsOfIngresses(failed.cluster);
  const needsHost = http !== undefined && http.hostHeader === undefined && host !== undefined;
  const tries = nodes.slice(0, 3).map((node): Try => {
    const other = callNode(failed, node);
    return { name: withPort(other, port), edit: () => ask(failed, { host: other }, needsHost ? { hostHeader: host } : undefined) };
  });
  const tail = needsHost ? ` with -H 'Host: ${host}'` : "";
  return [{ text: (names) => `ask ${listed(names, 4, "or")}${tail}`, tries }];
}

const isMachineName = ({ cluster, leg }: Case, host: string): boolean =>
  leg.name?.how === "literal" || cluster.nodes.some((node) => node.name === host || node.aliases.includes(host));

/** A name that leads to the wrong node: let it lead to another. Walked as curl's --resolve. */
function mapHost(failed: Case, nodes: readonly ClusterNode[], { port }: Target): Change[] {
  const { to, http } = failed.question;
  if (http === undefined || isMachineName(failed, to.host)) return [];
  const place = failed.leg.name === undefined ? undefined : placeOfName(failed, failed.leg.name.cause);
  const tries = nodes.slice(0, 3).map((node): Try => {
    const ip = addressFor(askingMachine(failed), node);
    const resolve = [{ host: to.host, port, addresses: [ip] }];
    return { name: `${node.name} (${ip})`, edit: () => ask(failed, {}, { resolve }) };
  });
  return [{ text: (names) => `let ${to.host} lead to ${listed(names, 4, "or")}`, ...(place === undefined ? {} : { place }), tries }];
}

function placeOfName(failed: Case, id: number): string | undefined {
  const cause = failed.causes.lookup(id);
  return cause && failed.place(cause.source, cause.field ?? []);
}

function orToleration(failed: Case, maker: PodMaker | undefined, node: ClusterNode): Change[] {
  const why = maker && whyNotOn(maker, node);
  if (!maker || !why?.taint) return [];
  const { text, place, tries } = tolerate(failed, maker, why.taint);
  // A DaemonSet's pod surely comes to the node; any other's may.
  const sure = maker.object.kind === "DaemonSet" && tries ? { tries } : { outcome: `a pod may then run on ${node.name}, or not` };
  return [{ text, ...(place === undefined ? {} : { place }), ...sure }];
}
