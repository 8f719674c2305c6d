/**
 * The Service variables that kubelet puts into a container's environment (pkg/kubelet/envvars). A snapshot at its start: where
 * a dump's times say that a Service came later, it is not in it; without times all Services were there. Not modelled:
 * variables from ConfigMaps, Secrets and the downward API.
 */
import type { Cluster, ClusterPod, ClusterService } from "../../cluster/cluster.ts";
import { formatSocket } from "../../net/packet.ts";
import { fieldAt, isFields, listAt, textAt } from "../../objects/record.ts";

export type EnvVariable = { readonly name: string; readonly value: string };

const isMaster = (service: ClusterService): boolean => service.namespace === "default" && service.name === "kubernetes";

/** Services of the pod's namespace that have an address, and always default/kubernetes; those that were there when `container` started. */
export function serviceEnv(cluster: Cluster, pod: ClusterPod, container?: string): EnvVariable[] {
  const links = pod.spec.enableServiceLinks ?? true;
  const started = startOf(pod, container);
  return cluster.services
    .filter((service) => isMaster(service) || (links && service.namespace === pod.namespace))
    .filter((service) => !cameAfter(service, started))
    .filter(
      (service) =>
        !cluster.services.some(
          (own) => isMaster(service) && links && own !== service && own.namespace === pod.namespace && own.name === service.name,
        ),
    )
    .flatMap(variablesOf);
}

/** Whether nothing in the input says which of the two came first, the container or some Service that its environment names. */
export function isOrderAssumed(cluster: Cluster, pod: ClusterPod, container?: string): boolean {
  if (pod.spec.enableServiceLinks === false) return false;
  const own = cluster.services.filter(
    (service) => service.namespace === pod.namespace && !isMaster(service) && variablesOf(service).length > 0,
  );
  return own.length > 0 && (startOf(pod, container) === undefined || own.some((service) => timeOf(createdAt(service)) === undefined));
}

const createdAt = (service: ClusterService): string => service.object?.metadata.creationTimestamp ?? "";
const timeOf = (text: string): number | undefined => {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
};

/** When the container last started; else when kubelet took the pod, or it was created, which is a little earlier. */
function startOf({ object }: ClusterPod, container: string | undefined): number | undefined {
  const statuses = listAt(object?.status, "containerStatuses").filter(isFields);
  const own = statuses.find((each) => container === undefined || textAt(each, "name") === container);
  const [running, taken] = [textAt(fieldAt(own, "state", "running"), "startedAt"), object?.status?.startTime ?? ""];
  return timeOf(running) ?? timeOf(taken) ?? timeOf(object?.metadata.creationTimestamp ?? "");
}

const cameAfter = (service: ClusterService, started: number | undefined): boolean => {
  const created = timeOf(createdAt(service));
  return created !== undefined && started !== undefined && created > started;
};

/** One container's whole environment as `env` prints it: hostname, Services, its own literals, which win. */
export function containerEnv(
  cluster: Cluster,
  pod: ClusterPod,
  hostname: string,
  own: readonly { readonly name: string; readonly value?: string }[],
  container?: string,
): EnvVariable[] {
  const all = new Map<string, string>([["HOSTNAME", hostname]]);
  for (const { name, value } of serviceEnv(cluster, pod, container)) all.set(name, value);
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
