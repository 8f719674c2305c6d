/**
 * What a pod's processes listen on, which no manifest says for sure: the topology's `listens`; else every port that
 * containers and probes declare; else, as containerPort is only documentation, the numeric targetPorts of Services that
 * select the pod, marked assumed.
 */
import type { Container, Probe } from "../../objects/api.ts";
import { isFields } from "../../objects/record.ts";
import type { ClusterPod, ClusterService, Origin, PodListen } from "../cluster.ts";
import type { PodsBySelector } from "../endpoints/selected-pods.ts";
import type { Notes } from "../notes.ts";
import type { PlacedPod } from "./pods.ts";

export function decideListens(
  pods: readonly PlacedPod[],
  services: readonly ClusterService[],
  podsOf: PodsBySelector<PlacedPod>,
  notes: Notes,
): ClusterPod[] {
  const selecting = new Map<PlacedPod, ClusterService[]>();
  for (const service of services)
    for (const pod of podsOf(service.namespace, service.selector ?? {})) selecting.set(pod, [...(selecting.get(pod) ?? []), service]);
  const noted = new Set<string>();
  return pods.map((placed) => {
    const { pin, ...pod } = placed;
    const known =
      pin?.listens?.map(({ port, protocol = "TCP" }): PodListen => ({ port, protocol, assumed: false })) ?? declaredListens(placed);
    const allDown = placed.containers.length > 0 && placed.containers.every((container) => isDown(placed, container.name));
    if (known.length > 0 || pin?.listens || allDown) return { ...pod, listens: known };
    const listens = assumedListens(selecting.get(placed) ?? []);
    noteAssumed(placed, listens, noted, notes);
    return { ...pod, listens };
  });
}

function declaredListens(pod: PlacedPod): PodListen[] {
  const within = (kind: "containers" | "initContainers") =>
    (pod.spec[kind] ?? []).flatMap((container, i) => {
      if (kind === "initContainers" && container.restartPolicy !== "Always") return [];
      if (isDown(pod, container.name)) return [];
      return containerListens(container, (rest) => ({ source: pod.origin.source, field: [...pod.origin.field, "spec", kind, i, ...rest] }));
    });
  return unique([...within("containers"), ...within("initContainers")]);
}

/** A dump's word: a container that waits (CrashLoopBackOff) or has ended listens on nothing. */
function isDown({ object }: PlacedPod, name: string): boolean {
  const state = object?.status?.containerStatuses?.find((each) => each.name === name)?.state;
  return isFields(state) && Object.keys(state).length > 0 && !Object.hasOwn(state, "running");
}

function containerListens(container: Container, originOf: (rest: Origin["field"]) => Origin): PodListen[] {
  const declared = (container.ports ?? []).map(
    (each, i): PodListen => ({
      port: each.containerPort,
      protocol: each.protocol ?? "TCP",
      origin: originOf(["ports", i, "containerPort"]),
      assumed: false,
    }),
  );
  const probed = PROBES.flatMap((name) => {
    const port = probePort(container[name], container);
    return port === undefined ? [] : [{ port, protocol: "TCP" as const, origin: originOf([name]), assumed: false }];
  });
  return [...declared, ...probed].filter((listen) => Number.isInteger(listen.port) && listen.port > 0);
}

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

/** A probe's port; a name is one of the same container's ports. */
function probePort(probe: Probe | undefined, container: Container): number | undefined {
  const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port;
  if (typeof port !== "string") return port;
  if (/^\d{1,5}$/.test(port)) return Number(port);
  return container.ports?.find((each) => each.name === port)?.containerPort;
}

function assumedListens(services: readonly ClusterService[]): PodListen[] {
  return unique(
    services.flatMap((service) =>
      service.ports.flatMap(({ targetPort, protocol, index }): PodListen[] => {
        if (typeof targetPort !== "number") return [];
        const origin = service.object ? { origin: { source: service.object.source, field: ["spec", "ports", index] } } : {};
        return [{ port: targetPort, protocol, assumed: true, ...origin }];
      }),
    ),
  );
}

function unique(listens: readonly PodListen[]): PodListen[] {
  const byPort = new Map<string, PodListen>();
  for (const listen of listens)
    if (!byPort.has(`${listen.protocol}/${listen.port}`)) byPort.set(`${listen.protocol}/${listen.port}`, listen);
  return [...byPort.values()];
}

/** Said once a workload, not once a pod. */
function noteAssumed(pod: PlacedPod, listens: readonly PodListen[], noted: Set<string>, notes: Notes): void {
  const about = pod.workload ? `${pod.workload.kind} ${pod.namespace}/${pod.workload.name}` : `Pod ${pod.namespace}/${pod.name}`;
  if (listens.length === 0 || noted.has(about)) return;
  noted.add(about);
  const ports = listens.map((listen) => `${listen.port}/${listen.protocol}`).join(", ");
  notes.assume(about, `its pods listen on ${ports}, where Services send, as they declare no port`, "spec.pods[].listens");
}
