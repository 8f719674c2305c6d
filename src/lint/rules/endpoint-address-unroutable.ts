/** KT122: endpoints by hand that lead nowhere: special ranges (refused), a Service's address, a pod's that no pod has, no route. */
import type { Cluster, ClusterEndpoint, ClusterService, ClusterSlice } from "../../cluster/cluster.ts";
import { cidrContains, type Ip, parseCidr } from "../../net/address.ts";
import type { ApiObject } from "../../objects/api.ts";
import type { Source } from "../../objects/source.ts";
import { type Answer, ask, isDead, question } from "../ask.ts";
import type { Finding, Mark } from "../finding.ts";
import { markOf } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { anyNode, askService, clusterIpOf, pathsThrough, wireProtocol } from "../service-asks.ts";
import { nameOf, objectName, refOf, type Subject, serviceRef } from "../subject.ts";

export const KT122: Rule = {
  code: "KT122",
  name: "endpoint-address-unroutable",
  severity: "error",
  needs: "data-plane",
  fix: "no",
  title: "an endpoint address that leads nowhere",
  why: "The packet is translated to it and nobody answers: the node has no route, no pod has the address, or it is another Service's, which is not translated a second time. That share of the connections times out.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: db}
spec: {ports: [{port: 5432}]}
---
kind: Endpoints
apiVersion: v1
metadata: {name: db}
subsets: [{addresses: [{ip: 10.244.1.250}], ports: [{port: 5432}]}]
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: db}
spec: {ports: [{port: 5432}]}
---
kind: Endpoints
apiVersion: v1
metadata: {name: db}
subsets: [{addresses: [{ip: 192.168.56.200}], ports: [{port: 5432}]}]
`,
  },
  check: function* (subject) {
    for (const refusal of subject.refusals())
      if (refusal.violation.code === "KT122")
        yield {
          message: `${objectName(refusal.object)}: ${refusal.violation.value} ${refusal.violation.detail}`,
          at: markOf(refusal),
          label: `the API server refuses the ${refusal.object.kind}`,
          help: "write an address that the nodes can reach",
          about: [refOf(refusal.object)],
        };
    const byHand = new Map<Source, ApiObject>(
      [...subject.of("Endpoints"), ...subject.of("EndpointSlice")]
        .filter(({ metadata }) => metadata.uid === undefined)
        .map((object) => [object.source, object]),
    );
    if (byHand.size > 0) yield* unreachable(subject, byHand);
  },
};

type Listed = {
  readonly endpoint: ClusterEndpoint;
  readonly ip: Ip;
  readonly slice: ClusterSlice;
  readonly service: ClusterService;
  readonly object: ApiObject;
  readonly at: Mark;
};

function* unreachable(subject: Subject, byHand: ReadonlyMap<Source, ApiObject>): Iterable<Finding> {
  const cluster = subject.cluster();
  const services = new Map(cluster.services.map((service) => [nameOf(serviceRef(service)), service]));
  const known = addressesOf(cluster);
  for (const slice of cluster.slices) {
    const service = services.get(`${slice.namespace}/${slice.service}`);
    if (!service) continue;
    for (const endpoint of slice.endpoints) {
      const object = endpoint.origin && byHand.get(endpoint.origin.source);
      const [ip] = endpoint.addresses;
      if (!endpoint.origin || !object || ip === undefined || known.has(ip)) continue;
      const field = [...endpoint.origin.field, ...(object.kind === "Endpoints" ? ["ip"] : ["addresses", 0])];
      const found = deadEnd(subject, cluster, { endpoint, ip, slice, service, object, at: { source: object.source, field } });
      if (found) yield found;
    }
  }
}

/** Those of pods and machines: reachable or not, that is another rule's. */
const addressesOf = ({ pods, nodes, hosts }: Cluster): ReadonlySet<Ip> =>
  new Set([
    ...pods.flatMap(({ ips }) => ips),
    ...[...nodes, ...hosts].flatMap(({ interfaces }) => interfaces.flatMap(({ addresses }) => addresses.map((each) => each.ip))),
  ]);

function deadEnd(subject: Subject, cluster: Cluster, listed: Listed): Finding | undefined {
  const { ip, service } = listed;
  const owner = cluster.services.find(({ clusterIPs }) => clusterIPs.includes(ip));
  if (cluster.serviceCIDRs.some((cidr) => cidrContains(cidr, ip))) {
    const [port] = service.ports;
    if (clusterIpOf(service) === undefined || !port) return undefined; // clients ask the address itself, and that is translated
    const answer = askService(subject, service, port);
    const here = answer && pathsThrough(answer.trace.paths, ip);
    const what = owner
      ? `the cluster address of Service ${nameOf(serviceRef(owner))}, and kube-proxy translates once`
      : "of the Services' range, and no Service has it";
    return answer && here?.length && here.every(({ verdict }) => verdict !== "delivered") ? finding(listed, what, answer) : undefined;
  }
  const isPodRange = subject.topology.kubernetes?.podCIDRs !== undefined && cluster.podCIDRs.some((cidr) => cidrContains(cidr, ip));
  const answer = isPodRange || !hasRoute(cluster, ip) ? directly(subject, cluster, listed) : undefined;
  if (!answer?.trace.paths.every(isDead)) return undefined;
  return finding(listed, isPodRange ? "of the pods' range, and no pod has it" : "none that a node has a route to", answer);
}

function directly(subject: Subject, cluster: Cluster, { ip, slice }: Listed): Answer | undefined {
  const [port] = slice.ports;
  const from = anyNode(cluster);
  return port && from !== undefined ? ask(subject, question(from, ip, port.port, wireProtocol(port.protocol))) : undefined;
}

/** By any node's networks and routes: a default route leads everywhere. */
const hasRoute = ({ nodes }: Cluster, ip: Ip): boolean =>
  nodes.some(
    ({ interfaces, routes }) =>
      interfaces.some(({ addresses }) => addresses.some((cidr) => cidrContains(cidr, ip))) ||
      routes.some(({ to }) => to === "default" || contains(to, ip)),
  );

function finding({ ip, object, at, service, endpoint }: Listed, what: string, { packet }: Answer): Finding {
  return {
    message: `${objectName(object)} lists ${ip} for Service ${nameOf(serviceRef(service))}: the address is ${what}`,
    at,
    label: packet.text,
    help: endpoint.pod ? `give the Service a selector, so that the addresses follow the pods` : "write an address that the nodes can reach",
    about: [refOf(object), serviceRef(service)],
    packet,
  };
}

function contains(to: string, ip: Ip): boolean {
  const cidr = parseCidr(to);
  return cidr !== undefined && cidrContains(cidr, ip);
}
