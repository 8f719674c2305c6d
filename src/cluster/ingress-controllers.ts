/** The ingress controllers that run in the cluster: as the topology names them, else recognised by image; and what each takes. */
import type { Ingress } from "../objects/api.ts";
import { matchesLabels } from "../objects/selector.ts";
import type { IngressControllerSettings } from "../objects/topology.ts";
import type { Cluster, ClusterPod } from "./cluster.ts";

export type IngressController = {
  readonly process: string;
  readonly class: string | undefined;
  readonly pods: ReadonlySet<string>; // "NAMESPACE/NAME"
  readonly upstream: "endpoints" | "service";
};

/** Image names that ingress-nginx has been published under; not those of the jobs, tests and error pages beside it. */
export const NGINX_IMAGE =
  /(?:^|\/)(?:ingress-nginx\/controller|nginx-ingress-controller|nginx-ingress|ingress-nginx)(?=$|[:@-])(?!-\w*(?:error|backend))/;

export function ingressControllers(cluster: Cluster): IngressController[] {
  if (cluster.ingressControllers.length > 0) return cluster.ingressControllers.map((settings) => fromSettings(cluster, settings));
  const pods = cluster.pods.filter((pod) => pod.containers.some((c) => NGINX_IMAGE.test(c.image ?? "")));
  if (pods.length === 0) return [];
  return [{ process: "nginx", class: undefined, pods: keysOf(pods), upstream: "endpoints" }];
}

const keysOf = (pods: readonly ClusterPod[]): ReadonlySet<string> => new Set(pods.map((pod) => `${pod.namespace}/${pod.name}`));

function fromSettings(cluster: Cluster, settings: IngressControllerSettings): IngressController {
  const selector = settings.pods?.selector ?? serviceSelector(cluster, settings.service);
  const namespace = settings.pods?.namespace ?? settings.service?.split("/")[0];
  const pods = cluster.pods.filter(
    (pod) => selector !== undefined && (namespace === undefined || pod.namespace === namespace) && matchesLabels(selector, pod.labels),
  );
  return { process: "nginx", class: settings.class, pods: keysOf(pods), upstream: settings.upstream ?? "endpoints" };
}

const serviceSelector = (cluster: Cluster, ref: string | undefined) =>
  cluster.services.find((s) => `${s.namespace}/${s.name}` === ref)?.selector;

/** The class that an Ingress asks for, by its field or by the annotation that was before it. */
export const classOfIngress = ({ spec, metadata }: Ingress): string | undefined =>
  spec?.ingressClassName ?? metadata.annotations?.["kubernetes.io/ingress.class"];

/** The Ingresses that a controller takes: of its class, or of none. */
export const ingressesTakenBy = (cluster: Cluster, controller: IngressController): readonly Ingress[] =>
  cluster.ingresses.filter((ingress) => {
    const wanted = classOfIngress(ingress);
    return wanted === undefined || controller.class === undefined || wanted === controller.class;
  });
