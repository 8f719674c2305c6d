/**
 * KT123: endpoints in the input that are not those of the pods in the input: a stale copy, or a list kept by hand. Only where
 * the pods' addresses are stated: those that ktrace gave out say nothing.
 */
import type { ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { indexPods } from "../../cluster/endpoints/selected-pods.ts";
import { familyOf, type Ip, parseIp } from "../../net/address.ts";
import { type Answer, ask, isDead, isDelivered, question } from "../ask.ts";
import { type EndpointList, endpointLists, type ListedAddress, type ListedPort } from "../endpoint-lists.ts";
import type { Edit, Finding, Mark, Related } from "../finding.ts";
import { listed, originField } from "../pod-groups.ts";
import type { Rule } from "../rule.ts";
import { anyNode, wireProtocol } from "../service-asks.ts";
import { nameOf, objectName, refOf, type Subject, serviceRef } from "../subject.ts";

export const KT123: Rule = {
  code: "KT123",
  name: "endpoints-stale",
  severity: "warning",
  needs: "data-plane",
  fix: "safe",
  title: "endpoints that are not those of the pods",
  why: "kube-proxy sends to what is listed: an address that no pod has any more costs its share of the connections, a pod that is missing gets none. The controller would write another list.",
  bad: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: tomcat6}
spec:
  replicas: 3
  selector: {matchLabels: {app: tomcat6}}
  template: {metadata: {labels: {app: tomcat6}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: tomcat6}
spec: {selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Endpoints
apiVersion: v1
metadata: {name: tomcat6}
subsets: [{addresses: [{ip: 10.244.1.11}, {ip: 10.244.2.99}], ports: [{port: 8080}]}]
`,
  },
  good: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: tomcat6}
spec:
  replicas: 3
  selector: {matchLabels: {app: tomcat6}}
  template: {metadata: {labels: {app: tomcat6}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 8080}]}]}}
---
kind: Service
apiVersion: v1
metadata: {name: tomcat6}
spec: {selector: {app: tomcat6}, ports: [{port: 80, targetPort: 8080}]}
---
kind: Endpoints
apiVersion: v1
metadata: {name: tomcat6}
subsets: [{addresses: [{ip: 10.244.1.11}, {ip: 10.244.2.10}, {ip: 10.244.2.11}], ports: [{port: 8080}]}]
`,
  },
  check: function* (subject) {
    const lists = endpointLists(subject);
    if (lists.size === 0) return;
    const cluster = subject.cluster();
    const podsOf = indexPods(cluster.pods);
    const isStated = statedAddresses(subject);
    for (const service of cluster.services) {
      const written = lists.get(nameOf(serviceRef(service)));
      if (!written || !service.selector || service.type === "ExternalName") continue;
      const pods = podsOf(service.namespace, service.selector).filter(({ phase }) => phase === "Running");
      if (pods.length > 0 && pods.every(isStated)) yield* compare(subject, service, pods, written);
    }
  },
};

/** Whose address the input says itself: in a status, in the topology, or by the node's network that the pod uses. */
function statedAddresses({ of, topology }: Subject): (pod: ClusterPod) => boolean {
  const stated = new Set([
    ...(topology.pods ?? []).flatMap(({ ip }) => (ip === undefined ? [] : (parseIp(ip) ?? []))),
    ...of("Pod").flatMap(({ status }) =>
      [status?.podIP ?? "", ...(status?.podIPs ?? []).map(({ ip }) => ip)].flatMap((text) => parseIp(text) ?? []),
    ),
  ]);
  return ({ hostNetwork, ips }) => hostNetwork || ips.every((ip) => stated.has(ip));
}

/** One thing that is wrong, where, and the packet that shows it. */
type Fault = { readonly text: string; readonly at: Mark; readonly packet?: Answer["packet"]; readonly related?: Related };

function* compare(
  subject: Subject,
  service: ClusterService,
  pods: readonly ClusterPod[],
  written: readonly EndpointList[],
): Iterable<Finding> {
  const addresses = written.flatMap((list) => list.addresses);
  const [first] = written;
  const port = written.flatMap(({ ports }) => ports)[0];
  if (!first || !port) return;
  const faults = [
    ...addresses.flatMap((each) => wrongAddress(subject, each, port, pods)),
    ...missingPods(subject, service, pods, addresses, port, first),
    ...written.flatMap(({ ports }) => ports).flatMap((each) => wrongPort(subject, service, pods, each)),
    ...addresses.flatMap((each) => wrongNode(each, pods)),
  ];
  const [fault] = faults;
  if (!fault) return;
  const packet = faults.find((each) => each.packet)?.packet;
  const isByHand = first.object.metadata.uid === undefined;
  const related = faults.flatMap((each) => each.related ?? []);
  yield {
    message: `${objectName(first.object)} ${listed(faults.map(({ text }) => text))}`,
    at: fault.at,
    label: isByHand ? "the controller of the Service's selector writes another list" : "not what the pods of this input come to",
    related,
    help: isByHand
      ? `leave the object out: the endpoints follow from the selector of Service ${service.name}`
      : "read the cluster again: pods and endpoints are of different times",
    about: [refOf(first.object), serviceRef(service)],
    ...(packet ? { packet } : {}),
    ...(isByHand ? { edits: edits(first, written, pods) } : {}),
  };
}

const podAt = (pods: readonly ClusterPod[], ip: Ip): ClusterPod | undefined => pods.find(({ ips }) => ips.includes(ip));

/** An address of none of the pods: somebody else's, or nobody's; that one has to be seen to fail. */
function wrongAddress(subject: Subject, { ip, at }: ListedAddress, port: ListedPort, pods: readonly ClusterPod[]): Fault[] {
  if (podAt(pods, ip)) return [];
  const answer = knock(subject, ip, port.port, port);
  const other = podAt(subject.cluster().pods, ip);
  if (other)
    return [
      {
        text: `lists ${ip}, the address of pod ${other.namespace}/${other.name}, which the selector does not pick`,
        at,
        ...(answer ? { packet: answer.packet } : {}),
      },
    ];
  if (!answer?.trace.paths.every(isDead)) return [];
  return [{ text: `lists ${ip}, which no pod has`, at, packet: answer.packet }];
}

function missingPods(
  subject: Subject,
  service: ClusterService,
  pods: readonly ClusterPod[],
  addresses: readonly ListedAddress[],
  port: ListedPort,
  { object }: EndpointList,
): Fault[] {
  const families = new Set(addresses.map(({ ip }) => familyOf(ip)));
  const known = new Set(addresses.map(({ ip }) => ip));
  const ready = pods.filter((pod) => (pod.ready || service.publishNotReadyAddresses) && !pod.terminating && !pod.dead);
  const missing = ready.flatMap((pod) => {
    const ip = pod.ips.find((each) => families.has(familyOf(each)));
    return ip === undefined || known.has(ip) ? [] : [{ pod, ip }];
  });
  const [first] = missing;
  const answer = first && knock(subject, first.ip, port.port, port);
  if (!first || !answer?.trace.paths.every(isDelivered)) return [];
  const at = { source: object.source, field: [object.kind === "Endpoints" ? "subsets" : "endpoints"] };
  const related = { at: originField(first.pod), label: `pod ${first.pod.name} takes connections at ${first.ip}` };
  return [{ text: `lacks ${listed(missing.map(({ pod, ip }) => `${ip} of pod ${pod.name}`))}`, at, packet: answer.packet, related }];
}

/** The number that the Service's port of that name comes to, in no pod the one that is listed. */
function wrongPort(
  subject: Subject,
  service: ClusterService,
  pods: readonly ClusterPod[],
  { name, port, protocol, at }: ListedPort,
): Fault[] {
  const own = service.ports.find((each) => each.name === name && each.protocol === protocol);
  const target = own?.targetPort;
  const [ip] = pods[0]?.ips ?? [];
  if (typeof target !== "number" || target === port || ip === undefined) return [];
  const answer = knock(subject, ip, port, { name, port, protocol, at });
  return answer?.trace.paths.every(isDead)
    ? [{ text: `lists port ${port} where the Service sends to ${target}`, at, packet: answer.packet }]
    : [];
}

function wrongNode({ ip, nodeName, nodeAt }: ListedAddress, pods: readonly ClusterPod[]): Fault[] {
  const node = podAt(pods, ip)?.node;
  return nodeName === undefined || node === undefined || node === nodeName
    ? []
    : [{ text: `puts ${ip} on ${nodeName}, where it is on ${node}`, at: nodeAt }];
}

function knock(subject: Subject, ip: Ip, port: number, { protocol }: ListedPort): Answer | undefined {
  const from = anyNode(subject.cluster());
  return from === undefined ? undefined : ask(subject, question(from, ip, port, wireProtocol(protocol)));
}

/** The pods' addresses in place of those listed, where one list is all there is. */
function edits({ object }: EndpointList, written: readonly EndpointList[], pods: readonly ClusterPod[]): Edit[] {
  if (object.kind !== "Endpoints" || written.length > 1 || object.subsets?.length !== 1) return [];
  const ips = pods.filter(({ ready, terminating, dead }) => ready && !terminating && !dead).flatMap(({ ips: [ip] }) => ip ?? []);
  const text = `[${[...ips]
    .sort()
    .map((ip) => `{ip: ${JSON.stringify(ip)}}`)
    .join(", ")}]`;
  return ips.length === 0 ? [] : [{ kind: "value", at: { source: object.source, field: ["subsets", 0, "addresses"] }, text }];
}
