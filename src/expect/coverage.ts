/** Which Services' ports, Ingress routes and policies no test asks: what could break without any test failing. */
import type { Cluster } from "../cluster/cluster.ts";
import type { ApiObject } from "../objects/api.ts";
import type { Trace } from "../trace/trace.ts";

export type Covered = { readonly what: string; readonly isAsked: boolean };

/** Every Service port, Ingress route and NetworkPolicy, and whether one of the traces went by it. */
export function coverageOf(cluster: Cluster, objects: readonly ApiObject[], traces: readonly Trace[]): readonly Covered[] {
  const legs = traces.flatMap(({ paths }) => paths.flatMap((path) => path.legs));
  const sockets = new Set(
    legs.flatMap(({ to, hops }) => [
      `${to.ip} ${to.port} ${to.protocol}`,
      `${hops[0]?.packetIn.dst} ${hops[0]?.packetIn.dport} ${to.protocol}`,
    ]),
  );
  const names = new Set(
    legs.flatMap(({ to, name, query }) => [
      to.host,
      name?.host ?? "",
      ...(name?.tried ?? []).map((tried) => tried.name),
      query?.name ?? "",
    ]),
  );
  const routes = new Set(legs.flatMap(({ proxy }) => proxy?.rule?.split(" -> ")[0] ?? []));
  const nodeIps = cluster.nodes.flatMap(({ interfaces }) => interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)));
  const services = cluster.services.flatMap(({ namespace, name, ports, clusterIPs, externalIPs, loadBalancerIngress }) => {
    const fullName = `${name}.${namespace}.svc.${cluster.clusterDomain}`;
    const isNamed = [...names].some((each) => each.replace(/\.$/, "") === fullName);
    const vips = [...clusterIPs, ...externalIPs, ...loadBalancerIngress.flatMap(({ ip }) => ip ?? [])];
    if (ports.length === 0) return [{ what: `Service ${namespace}/${name}`, isAsked: isNamed }];
    return ports.map(({ port, nodePort, protocol }) => {
      const at = (ip: string, number: number): boolean => sockets.has(`${ip} ${number} ${protocol.toLowerCase()}`);
      const isAsked =
        vips.some((ip) => at(ip, port)) ||
        (nodePort !== undefined && nodeIps.some((ip) => at(ip, nodePort))) ||
        (clusterIPs.includes("None") && isNamed);
      return { what: `Service ${namespace}/${name} port ${port}${protocol === "TCP" ? "" : `/${protocol}`}`, isAsked };
    });
  });
  const ingresses = cluster.ingresses.flatMap(({ metadata, spec }) =>
    (spec?.rules ?? []).flatMap(({ host, http }) =>
      (http?.paths ?? []).map(({ path = "/" }) => ({
        what: `Ingress ${metadata.namespace ?? "default"}/${metadata.name} ${host ?? "*"}${path}`,
        isAsked: routes.has(`${host ?? "*"}${path}`),
      })),
    ),
  );
  const policies = objects.flatMap(({ kind, metadata }) =>
    kind === "NetworkPolicy"
      ? [{ what: `NetworkPolicy ${metadata.namespace ?? "default"}/${metadata.name} (not modelled yet)`, isAsked: false }]
      : [],
  );
  return [...services, ...ingresses, ...policies];
}
