/** KT504: the pods behind an Ingress, and policies of theirs that do not let the ingress controller in. */
import type { Cluster, ClusterNode, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { ingressControllers, ingressesTakenBy } from "../../cluster/ingress-controllers.ts";
import { blockMeets, type Peer, type Policies } from "../../cluster/policies/policies.ts";
import { rulesOf } from "../../cluster/policies/rules.ts";
import { type Ip, nthAddress } from "../../net/address.ts";
import { type Backend, backendsOf } from "../backends.ts";
import { controllerPods } from "../controller-entry.ts";
import type { Finding } from "../finding.ts";
import { backendsOfIngress, type PlacedBackend, portOfBackend } from "../ingress-parts.ts";
import { listed, refOfPod } from "../pod-groups.ts";
import { BY_THE_API, policiesOf, policyMark, policyName } from "../policies.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf, serviceRef } from "../subject.ts";

export const KT504: Rule = {
  code: "KT504",
  name: "policy-blocks-ingress-controller",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a NetworkPolicy keeps the ingress controller from the pods behind its Ingress",
  why: "The controller's packets are dropped at the pod, and the client gets a 504. A controller on its node's network has the node's address, from another node that of the tunnel: no selector can hold it, only an ipBlock.",
  bad: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: tomcat6}}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]}]}
`,
  },
  good: {
    manifests: `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: p}
spec: {podSelector: {matchLabels: {app: tomcat6}}, ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/30}}, {ipBlock: {cidr: 10.244.1.0/30}}, {ipBlock: {cidr: 10.244.2.0/30}}]}]}
`,
  },
  mutedBy: ["KT101", "KT102", "KT401", "KT402"],
  check: function* (subject) {
    const known = policiesOf(subject);
    if (!known || subject.of("Ingress").length === 0) return;
    const { cluster, policies } = known;
    const backends = backendsOf(cluster);
    const said = new Set<string>();
    for (const controller of ingressControllers(cluster)) {
      const from = controllerPods(cluster, controller);
      for (const ingress of ingressesTakenBy(cluster, controller))
        for (const placed of backendsOfIngress(ingress)) {
          const service = cluster.services.find(
            (each) => each.namespace === ingress.metadata.namespace && each.name === placed.service.name,
          );
          const port = service?.object && portOfBackend(service.object, placed.service);
          const decided = service?.ports.find((each) => each.port === port?.port);
          if (!service || !decided) continue;
          const denied = deniedWays(cluster, policies, from, backends.of(service, decided));
          const wrong = denied && finding({ placed, service, policies, ...denied });
          const key = wrong && JSON.stringify([wrong.about]);
          if (!wrong || key === undefined || said.has(key)) continue;
          said.add(key);
          yield wrong;
        }
    }
  },
};

type Way = { readonly from: ClusterPod; readonly to: ClusterPod; readonly port: number };

/** The ways of a controller's pods to the pods behind a Service, when the policies cut at least one of them. */
function deniedWays(cluster: Cluster, policies: Policies, from: readonly ClusterPod[], ends: readonly Backend[]) {
  const ways = from.flatMap((controller) =>
    ends.flatMap(({ pod, port }): Way[] => (pod && !pod.hostNetwork ? [{ from: controller, to: pod, port }] : [])),
  );
  const cut = ways.filter((way) => isCut(cluster, policies, way));
  const [first] = cut;
  return first && { first, cut: cut.length, all: ways.length };
}

/** A pod's own node always reaches it. From elsewhere: by the pod's labels, or by any address that the node may show. */
function isCut(cluster: Cluster, policies: Policies, { from, to, port }: Way): boolean {
  if (from.hostNetwork && from.node === to.node) return false;
  const node = cluster.nodes.find(({ name }) => name === from.node);
  if (from.hostNetwork && (!node || mayShowOther(cluster, policies, to))) return false;
  const peer: Peer = from.hostNetwork && node ? { kind: "addresses", ips: shownAddresses(node) } : { kind: "pod", pod: from };
  return policies.judge(to, "Ingress", peer, { protocol: "TCP", port }).verdict === "denied";
}

/** What a node's own packets may carry: an address of an interface, flannel's .0 of its pod range, its bridge's .1. */
const shownAddresses = ({ internalIPs, externalIPs = [], interfaces, podCIDRs }: ClusterNode): readonly Ip[] => [
  ...internalIPs,
  ...externalIPs,
  ...interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)),
  ...podCIDRs.flatMap((cidr) => [nthAddress(cidr, 0n), nthAddress(cidr, 1n)]),
];

/** Other plugins' tunnels take an address anywhere in the pods' range: a block that holds a part of it may be meant for them. */
function mayShowOther({ cni, podCIDRs }: Cluster, policies: Policies, to: ClusterPod): boolean {
  if (cni.plugin === "canal") return false;
  const blocks = policies.isolating(to, "Ingress").flatMap((policy) => rulesOf(policy, "Ingress").flatMap(({ peers }) => peers));
  return blocks.some(({ ipBlock }) => podCIDRs.some((range) => blockMeets(ipBlock, range)));
}

type Cut = {
  readonly placed: PlacedBackend;
  readonly service: ClusterService;
  readonly policies: Policies;
  readonly first: Way;
  readonly cut: number;
  readonly all: number;
};

function finding({ placed, service, policies, first: { from, to, port }, cut, all }: Cut): Finding | undefined {
  const isolating = policies.isolating(to, "Ingress");
  const [policy] = isolating;
  if (!policy) return undefined;
  const { ingress, field, shown } = placed;
  const part = cut < all ? ` in ${cut} of ${all} combinations of their nodes` : "";
  const field0 = (policy.spec?.ingress ?? []).length > 0 ? ["spec", "ingress"] : ["spec", "podSelector"];
  const controller = refOfPod(from);
  return {
    message: `${listed(isolating.map(policyName))} ${isolating.length === 1 ? "keeps" : "keep"} the ingress controller ${controller.kind} ${nameOf(controller)} from port ${port} of ${refOfPod(to).kind} ${nameOf(refOfPod(to))}, where Ingress ${nameOf(refOf(ingress))} leads ${shown}${part}`,
    at: policyMark(policy, ...field0),
    label: BY_THE_API,
    related: [
      { at: { source: ingress.source, field: [...field, "service", "name"] }, label: `leads to Service ${nameOf(serviceRef(service))}` },
      {
        at: from.origin,
        label: from.hostNetwork ? "the controller, with its node's address: no selector holds it" : "the controller",
      },
    ],
    help: from.hostNetwork
      ? "add an ipBlock for the addresses that the controller's nodes show to pods (the tunnel's, in the nodes' pod ranges)"
      : `add a peer {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${from.namespace}}}} for port ${port}`,
    about: [refOf(policy), refOf(ingress), serviceRef(service)],
  };
}
