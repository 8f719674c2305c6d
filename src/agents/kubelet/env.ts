/**
 * The Service variables that kubelet puts into a container's environment (pkg/kubelet/envvars). A snapshot at its start:
 * here all Services are there already. Not modelled: variables from ConfigMaps, Secrets and the downward API.
 */
import type { Cluster, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { formatSocket } from "../../net/packet.ts";

export type EnvVariable = { readonly name: string; readonly value: string };

/** Services of the pod's namespace that have an address, and always default/kubernetes. */
export function serviceEnv(cluster: Cluster, pod: ClusterPod): EnvVariable[] {
  const links = pod.spec.enableServiceLinks ?? true;
  const isMaster = (service: ClusterService): boolean => service.namespace === "default" && service.name === "kubernetes";
  return cluster.services
    .filter((service) => isMaster(service) || (links && service.namespace === pod.namespace))
    .filter(
      (service) =>
        !cluster.services.some(
          (own) => isMaster(service) && links && own !== service && own.namespace === pod.namespace && own.name === service.name,
        ),
    )
    .flatMap(variablesOf);
}

/** One container's whole environment as `env` prints it: hostname, Services, its own literals, which win. */
export function containerEnv(
  cluster: Cluster,
  pod: ClusterPod,
  hostname: string,
  own: readonly { readonly name: string; readonly value?: string }[],
): EnvVariable[] {
  const all = new Map<string, string>([["HOSTNAME", hostname]]);
  for (const { name, value } of serviceEnv(cluster, pod)) all.set(name, value);
  for (const { name, value } of own) if (value !== undefined) all.set(name, value);
  return [...all].map(([name, value]) => ({ name, value }));
}

function variablesOf(service: ClusterService): EnvVariable[] {
  const ip = service.clusterIPs[0];
  const first = service.ports[0];
  if (ip === undefined || ip === "None" || ip === "" || !first) return [];
  const prefix = variableName(service.name);
  const url = (port: ClusterService["ports"][number]): string => `${port.protocol.toLowerCase()}://${formatSocket(ip, port.port)}`;
  return [
    { name: `${prefix}_SERVICE_HOST`, value: ip },
    { name: `${prefix}_SERVICE_PORT`, value: String(first.port) },
    ...service.ports
      .filter((port) => port.name !== "")
      .map((port) => ({ name: `${prefix}_SERVICE_PORT_${variableName(port.name)}`, value: String(port.port) })),
    { name: `${prefix}_PORT`, value: url(first) },
    ...service.ports.flatMap((port) => {
      const own = `${prefix}_PORT_${port.port}_${port.protocol}`;
      return [
        { name: own, value: url(port) },
        { name: `${own}_PROTO`, value: port.protocol.toLowerCase() },
        { name: `${own}_PORT`, value: String(port.port) },
        { name: `${own}_ADDR`, value: ip },
      ];
    }),
  ];
}

const variableName = (name: string): string => name.toUpperCase().replaceAll("-", "_");
