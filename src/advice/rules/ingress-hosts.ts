/** The hosts and paths that Ingress rules name. */
import type { Cluster } from "../../cluster/cluster.ts";
import type { Ingress } from "../../objects/api.ts";

export type IngressRule = {
  readonly ingress: Ingress;
  readonly host: string;
  readonly path: string;
  readonly pathType: string;
  readonly field: readonly (string | number)[];
};

/** One a host and path, in the order of the Ingresses. `host` is "" for any. */
export const ingressRules = (cluster: Cluster): IngressRule[] =>
  cluster.ingresses.flatMap((ingress) =>
    (ingress.spec?.rules ?? []).flatMap((rule, r) =>
      (rule.http?.paths ?? []).map((path, p) => ({
        ingress,
        host: (rule.host ?? "").toLowerCase(),
        path: path.path ?? "/",
        pathType: path.pathType ?? "ImplementationSpecific",
        field: ["spec", "rules", r, "http", "paths", p],
      })),
    ),
  );

/** Each host once; no wildcard, for nobody can ask for one. */
export const hostsOfIngresses = (cluster: Cluster): string[] => [
  ...new Set(ingressRules(cluster).flatMap(({ host }) => (host === "" || host.startsWith("*") ? [] : [host]))),
];
