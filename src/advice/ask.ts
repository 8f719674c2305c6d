/** Other questions that reach the same Service: another node, another port, another name, another place to ask from. */
import type { Cluster, ClusterNode, Machine } from "../cluster/cluster.ts";
import { cidrContains, type Ip, parseIp } from "../net/address.ts";
import type { HttpQuestion, Question } from "../trace/question.ts";
import { type Case, type Change, change, type Edit, type Setting, type Try } from "./case.ts";
import { listed } from "./entrance.ts";

/** More nodes than this are not tried one by one. */
const MOST_NODES = 3;

/** The same request to another host or port. */
export function ask({ question }: Setting, to: { readonly host?: string; readonly port?: number }, http?: Partial<HttpQuestion>): Edit {
  const changed: Question = { ...question, to: { ...question.to, ...to } };
  return { question: question.http && http ? { ...changed, http: { ...question.http, ...http } } : changed };
}

/** `node2:31160` */
export const withPort = (host: string, port: number | undefined): string => {
  const shown = host.includes(":") ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
};

/** The machine that asks; undefined for a pod. */
export function askingMachine({ cluster, trace }: Setting): Machine | undefined {
  const { kind, name } = trace.request.from;
  return [...cluster.nodes, ...cluster.hosts].find((machine) => machine.kind === kind && machine.name === name);
}

/** How the asker would call a node: as it called others, by alias or by the address they share a network with. */
export function callNode(setting: Setting, node: ClusterNode): string {
  const machine = askingMachine(setting);
  const byAddress = parseIp(setting.question.to.host) !== undefined || machine === undefined;
  return byAddress ? addressFor(machine, node) : (node.aliases[0] ?? node.name);
}

/** The node's address on a network of the asker, else its internal one. */
export function addressFor(machine: Machine | undefined, node: ClusterNode): Ip {
  const mine = (machine?.interfaces ?? []).flatMap((each) => each.addresses);
  const all = node.interfaces.flatMap((each) => each.addresses.map(({ ip }) => ip));
  return all.find((ip) => mine.some((cidr) => cidrContains(cidr, ip))) ?? node.internalIPs[0] ?? all[0] ?? node.name;
}

/** `ask node2 or node3`, each walked; with a port where another is meant. */
export function askNodes(setting: Setting, nodes: readonly ClusterNode[], port?: number, tail = ""): Change[] {
  const tries = nodes.slice(0, MOST_NODES).map((node): Try => {
    const host = callNode(setting, node);
    return { name: withPort(host, port), edit: () => ask(setting, { host, ...(port === undefined ? {} : { port }) }) };
  });
  return tries.length === 0 ? [] : [{ text: (names) => `ask ${listed(names, 4, "or")}${tail}`, tries }];
}

/** The node that was asked first, then the others, so that advice stays near the question. */
export function nodesNear({ cluster, question }: Setting): readonly ClusterNode[] {
  const { host } = question.to;
  const isAsked = (node: ClusterNode) =>
    node.name === host || node.aliases.includes(host) || node.interfaces.some((each) => each.addresses.some(({ ip }) => ip === host));
  return [...cluster.nodes.filter(isAsked), ...cluster.nodes.filter((node) => !isAsked(node))];
}

/** A pod to ask from, near in name space to the question: one that runs and has its own network, best one whose name a person chose. */
export function askingPod(cluster: Cluster, namespace: string): string | undefined {
  const runs = cluster.pods.filter((pod) => pod.node !== undefined && !pod.hostNetwork && !pod.dead && pod.ready && pod.ips.length > 0);
  const there = runs.filter((each) => each.namespace === namespace);
  const pod = there.find((each) => each.owner === undefined) ?? there[0];
  return pod && `${pod.namespace}/${pod.name}`;
}

/** `ask from pod/nginx`: inside the cluster, where cluster addresses and Service names mean something. */
export function askFromPod(failed: Case): Change[] {
  const { question, cluster } = failed;
  const { from } = failed.trace.request;
  const pod = from.kind === "host" ? askingPod(cluster, question.namespace) : undefined;
  if (pod === undefined) return [];
  const [namespace, name] = pod.split("/");
  const shown = namespace === question.namespace ? `pod/${name}` : pod;
  const edit = (): Edit => ({ question: { ...question, from: `pod/${name}`, namespace: namespace ?? question.namespace } });
  return [{ text: `ask from a pod: ktrace --from ${shown} ${question.command}`, tries: [{ name: "", edit }] }];
}

/** nc by the other protocol: `-u` forgotten, or too much. curl has no such choice. */
export function askByProtocol(setting: Setting, protocol: string, port: number): Change[] {
  const { question } = setting;
  const { host } = question.to;
  if (question.program !== "nc" || (protocol !== "tcp" && protocol !== "udp")) return [];
  const words = `nc ${protocol === "udp" ? "-u " : ""}${host} ${port}`;
  return [
    change(`ask by ${protocol.toUpperCase()}: ${words}`, undefined, () => ({ question: { ...question, to: { host, port, protocol } } })),
  ];
}

/** A port of the same name or address, for a ping that no Service answers. */
export function askPort(setting: Setting, port: number): Change {
  const { question } = setting;
  const { host } = question.to;
  return change(`ask its port: nc ${withPort(host, undefined)} ${port}`, undefined, () => ({
    question: { ...question, program: "nc", to: { host, port, protocol: "tcp" } },
  }));
}
