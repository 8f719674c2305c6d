/**
 * Ingress objects as stored: the class that the admission plugin DefaultIngressClass fills in, and the address that a
 * controller on its nodes' own network reports (ingress-nginx: the addresses of the nodes it runs on).
 */
import type { Ingress, IngressClass, ObjectMeta } from "../objects/api.ts";
import { matchesLabels } from "../objects/selector.ts";
import type { IngressControllerSettings, Topology } from "../objects/topology.ts";
import type { ClusterNode, ClusterPod } from "./cluster.ts";
import type { Given } from "./given.ts";
import { byCodeUnits } from "./order.ts";

const DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class";
const OLD_CLASS = "kubernetes.io/ingress.class";

export function decideIngresses(
  given: Given,
  pods: readonly ClusterPod[],
  nodes: readonly ClusterNode[],
  topology: Topology,
): (Ingress & { readonly metadata: ObjectMeta })[] {
  const byDefault = defaultClass(given.all("IngressClass"));
  return given.all("Ingress").map((ingress) => withAddress(withClass(ingress, byDefault), pods, nodes, topology.ingressControllers ?? []));
}

const classOf = (ingress: Ingress): string | undefined => ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.[OLD_CLASS];

/** The one default class; two are an error of the API server's and fill in nothing. */
function defaultClass(classes: readonly IngressClass[]): string | undefined {
  const defaults = classes.filter((each) => each.metadata.annotations?.[DEFAULT_CLASS] === "true");
  return defaults.length === 1 ? defaults[0]?.metadata.name : undefined;
}

function withClass(ingress: Ingress, byDefault: string | undefined): Ingress {
  if (byDefault === undefined || classOf(ingress) !== undefined) return ingress;
  return { ...ingress, spec: { ...ingress.spec, ingressClassName: byDefault } };
}

/** Kept when the input states it. Otherwise from the topology's controllers: one without class takes what has none, too. */
function withAddress(
  ingress: Ingress,
  pods: readonly ClusterPod[],
  nodes: readonly ClusterNode[],
  controllers: readonly IngressControllerSettings[],
): Ingress {
  const wanted = classOf(ingress);
  const controller = controllers.find((each) => wanted === undefined || each.class === undefined || each.class === wanted);
  if (ingress.status?.loadBalancer?.ingress?.length || !controller?.pods) return ingress;
  const { namespace, selector = {} } = controller.pods;
  const names = new Set(
    pods
      .filter(
        (pod) =>
          pod.hostNetwork && pod.ready && (namespace === undefined || pod.namespace === namespace) && matchesLabels(selector, pod.labels),
      )
      .flatMap((pod) => pod.node ?? []),
  );
  const addresses = nodes.filter((node) => names.has(node.name)).flatMap((node) => node.externalIPs?.[0] ?? node.internalIPs[0] ?? []);
  if (addresses.length === 0) return ingress;
  return { ...ingress, status: { loadBalancer: { ingress: addresses.sort(byCodeUnits).map((ip) => ({ ip })) } } };
}
