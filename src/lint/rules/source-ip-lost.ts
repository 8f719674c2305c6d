/**
 * KT305: somebody decides by the client's address behind a door that rewrites it. The door is knocked at, and what its pod sees
 * is compared with who knocked (externalTrafficPolicy Cluster, KUBE-MARK-MASQ).
 */
import type { Cluster, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { ingressControllers, ingressesTakenBy } from "../../cluster/ingress-controllers.ts";
import { cidrContains, type Ip, parseCidr } from "../../net/address.ts";
import type { ObjectRef } from "../../objects/api.ts";
import { matchesLabels, matchesSelector } from "../../objects/selector.ts";
import { ask, isDelivered, question } from "../ask.ts";
import type { Mark, Proof } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, type Subject, serviceRef } from "../subject.ts";

export const KT305: Rule = {
  code: "KT305",
  name: "source-ip-lost",
  severity: "info",
  needs: "data-plane",
  fix: "suggest",
  title: "the client's address is rewritten on the way to something that decides by it",
  why: "With externalTrafficPolicy Cluster a node puts its own address in place of the client's before it sends a packet on, so a list of allowed networks is compared with a node's address.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: office}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 31200}]}
---
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: office}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}
`,
  },
  check: function* (subject) {
    const deciders = [...policies(subject), ...allowLists(subject)];
    for (const { about, what, ranges, at, pods } of deciders) {
      const lost = pods.length === 0 ? undefined : lostBefore(subject, pods);
      if (!lost || ranges.some((range) => inRange(range, lost.seen))) continue;
      const { service } = lost;
      yield {
        message: `${about.kind} ${nameOf(about)}: ${what} ${ranges.join(", ")}, and what comes by node port ${lost.port} of Service ${nameOf(serviceRef(service))} comes from ${lost.seen}, a node's address`,
        at,
        label: `compared with ${lost.seen}, not with the client's address`,
        ...(service.origin
          ? { related: [{ at: { source: service.origin.source, field: ["spec"] }, label: "externalTrafficPolicy is Cluster here" }] }
          : {}),
        help: `write \`externalTrafficPolicy: Local\` in Service ${nameOf(serviceRef(service))}, and run a pod on every node that clients call`,
        about: [about, serviceRef(service)],
        packet: lost.packet,
        ...(service.origin ? { edits: [editOf(service, service.origin.source)] } : {}),
      };
    }
  },
};

const editOf = ({ object }: ClusterService, source: Mark["source"]) =>
  object?.spec?.externalTrafficPolicy === undefined
    ? { kind: "insert" as const, at: { source, field: ["spec"] }, text: "externalTrafficPolicy: Local" }
    : { kind: "value" as const, at: { source, field: ["spec", "externalTrafficPolicy"] }, text: "Local" };

/** Something that lets some addresses in: what it is, where it says so, and the pods in front of which it stands. */
type Decider = {
  readonly about: ObjectRef;
  readonly what: string;
  readonly ranges: readonly string[];
  readonly at: Mark;
  readonly pods: readonly ClusterPod[];
};

function policies(subject: Subject): Decider[] {
  return subject.of("NetworkPolicy").flatMap((policy) =>
    (policy.spec?.ingress ?? []).flatMap(({ from = [] }, i) => {
      const blocks = from.flatMap(({ ipBlock }, j) => (ipBlock ? [{ cidr: ipBlock.cidr, j }] : []));
      const [first] = blocks;
      if (!first) return [];
      const { podSelector = {} } = policy.spec ?? {};
      const pods = subject
        .cluster()
        .pods.filter((pod) => pod.namespace === (policy.metadata.namespace ?? "default") && matchesSelector(podSelector, pod.labels));
      const at = { source: policy.source, field: ["spec", "ingress", i, "from", first.j, "ipBlock", "cidr"] };
      return [{ about: refOf(policy), what: "it allows", ranges: blocks.map(({ cidr }) => cidr), at, pods }];
    }),
  );
}

const LISTS = ["whitelist-source-range", "allowlist-source-range"].map((name) => `nginx.ingress.kubernetes.io/${name}`);

function allowLists(subject: Subject): Decider[] {
  if (!subject.of("Ingress").some(({ metadata }) => LISTS.some((key) => metadata.annotations?.[key]))) return [];
  const cluster = subject.cluster();
  return ingressControllers(cluster).flatMap((controller) => {
    const pods = cluster.pods.filter(({ namespace, name }) => controller.pods.has(`${namespace}/${name}`));
    return ingressesTakenBy(cluster, controller).flatMap((ingress) =>
      LISTS.flatMap((key): Decider[] => {
        const text = ingress.metadata.annotations?.[key];
        if (!text) return [];
        const ranges = text.split(",").map((each) => each.trim());
        return [
          {
            about: refOf(ingress),
            what: "nginx lets in",
            ranges,
            at: { source: ingress.source, field: ["metadata", "annotations", key] },
            pods,
          },
        ];
      }),
    );
  });
}

const inRange = (text: string, ip: Ip): boolean => {
  const cidr = parseCidr(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
  return cidr !== undefined && cidrContains(cidr, ip);
};

type Lost = { readonly service: ClusterService; readonly port: number; readonly seen: Ip; readonly packet: Proof };

/** A node port in front of one of these pods, where the pod sees another address than the one that knocked. */
function lostBefore(subject: Subject, pods: readonly ClusterPod[]): Lost | undefined {
  const cluster = subject.cluster();
  const own = clientAddresses(cluster);
  for (const service of cluster.services) {
    const port = service.ports.find(({ nodePort, protocol }) => nodePort !== undefined && protocol === "TCP")?.nodePort;
    const isBefore = service.selector !== undefined && pods.some((pod) => isBehind(service, pod));
    if (port === undefined || service.externalTrafficPolicy === "Local" || !isBefore) continue;
    for (const node of cluster.nodes) {
      const answer = ask(subject, question("external", node.name, port));
      const seen = answer?.trace.paths
        .filter(isDelivered)
        .flatMap(({ legs }) => legs[0]?.destination?.clientIPSeen ?? [])
        .find((ip) => !own.has(ip));
      if (answer && seen !== undefined) return { service, port, seen, packet: answer.packet };
    }
  }
  return undefined;
}

const isBehind = ({ namespace, selector = {} }: ClusterService, pod: ClusterPod): boolean =>
  Object.keys(selector).length > 0 && pod.namespace === namespace && matchesLabels(selector, pod.labels);

const clientAddresses = ({ hosts }: Cluster): ReadonlySet<Ip> =>
  new Set(hosts.flatMap(({ interfaces }) => interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip))));
