/**
 * Who listens where: Kubernetes' own daemons at their default ports (pkg/cluster/ports), and the containers of a pod.
 * Not modelled: changed --port flags, health ports on 127.0.0.1:10248.
 */
import type { Cluster, ClusterNode, ClusterPod, PodListen } from "../../cluster/cluster.ts";
import type { ListeningSocket } from "../../linux/netns.ts";
import type { Ip } from "../../net/address.ts";
import type { Container } from "../../objects/api.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { podNetns } from "../cni/names.ts";
import { healthCheckAddresses } from "../kube-proxy/node-addresses.ts";
import { causeAt, machineNetns, transportOf } from "../machine.ts";

type Known = { readonly process: string; readonly port: number; readonly ip: string };

/** Ports of kubelet and kube-proxy on any node: their API, metrics and health. */
export function daemonSockets(cluster: Cluster, node: ClusterNode, causes: CauseTable, localAddresses: readonly Ip[]): ListeningSocket[] {
  const kubeProxy: readonly Known[] = [
    { process: "kube-proxy", port: 10249, ip: "127.0.0.1" },
    { process: "kube-proxy", port: 10256, ip: "*" },
  ];
  const known = [{ process: "kubelet", port: 10250, ip: "*" }, ...(cluster.kubeProxy.mode === "none" ? [] : kubeProxy)];
  return [...known.map((each) => knownSocket(node, each, causes)), ...healthCheckSockets(cluster, node, causes, localAddresses)];
}

/**
 * kube-proxy answers the health checks of Services with externalTrafficPolicy Local on every node: at all addresses, or those
 * that nodePortAddresses names, in nftables mode without it the primary one (pkg/proxy/healthcheck/service_health.go).
 */
function healthCheckSockets(cluster: Cluster, node: ClusterNode, causes: CauseTable, localAddresses: readonly Ip[]): ListeningSocket[] {
  if (cluster.kubeProxy.mode === "none") return [];
  const places = ([4, 6] as const).map((family) => ({ family, ...healthCheckAddresses(cluster, node, family, localAddresses) }));
  const bound: readonly Pick<ListeningSocket, "ip" | "families">[] = places.every(({ matchAll }) => matchAll)
    ? [{ ip: "*" }]
    : places.flatMap(({ family, matchAll, addresses }) => (matchAll ? [{ ip: "*", families: family }] : addresses.map((ip) => ({ ip }))));
  return cluster.services.flatMap(({ healthCheckNodePort: port, namespace, name, origin }) => {
    if (port === undefined) return [];
    const place = origin && { source: origin.source, field: [...origin.field, "spec", "healthCheckNodePort"] };
    const cause = causeAt(causes, "listen", { kind: "Service", namespace, name }, place, "health check node port");
    return bound.map((at) => ({ protocol: "tcp" as const, ...at, port, process: "kube-proxy", owner: machineNetns(node), cause }));
  });
}

/** Ports of a kubeadm control plane on the nodes that carry it. */
export function controlPlaneSockets(node: ClusterNode, causes: CauseTable): ListeningSocket[] {
  if (!node.roles.some((role) => role === "control-plane" || role === "master")) return [];
  const internal = node.internalIPs[0] ?? "127.0.0.1";
  const known: readonly Known[] = [
    { process: "kube-apiserver", port: 6443, ip: "*" },
    { process: "etcd", port: 2379, ip: "127.0.0.1" },
    { process: "etcd", port: 2379, ip: internal },
    { process: "etcd", port: 2380, ip: internal },
    { process: "kube-controller", port: 10257, ip: "127.0.0.1" }, // the kernel cuts a process name to 15 characters
    { process: "kube-scheduler", port: 10259, ip: "127.0.0.1" },
  ];
  return known.map((each) => knownSocket(node, each, causes));
}

/** The ports of a pod's containers. They share one netns; with hostNetwork that is the node's. */
export const podSockets = (pod: ClusterPod, causes: CauseTable): ListeningSocket[] =>
  pod.listens.map((listen) => ({
    protocol: transportOf(listen.protocol),
    ip: "*",
    port: listen.port,
    process: processName(containerOf(pod, listen)),
    owner: podNetns(pod),
    cause: causeAt(causes, "listen", { kind: "Pod", namespace: pod.namespace, name: pod.name }, listen.origin ?? pod.origin),
    ...(listen.assumed ? { assumed: true } : {}),
  }));

/** bind(2) refuses a port that is taken (EADDRINUSE): the first of two stands, except where both bind different addresses. */
export function boundSockets(sockets: readonly ListeningSocket[]): ListeningSocket[] {
  const bound = new Map<string, ListeningSocket[]>();
  return sockets.filter((socket) => {
    const key = `${socket.protocol} ${socket.port}`;
    const others = bound.get(key) ?? [];
    if (others.some((other) => other.ip === "*" || socket.ip === "*" || other.ip === socket.ip)) return false;
    bound.set(key, [...others, socket]);
    return true;
  });
}

function knownSocket(node: ClusterNode, known: Known, causes: CauseTable): ListeningSocket {
  const cause = causeAt(causes, "listen", { kind: "Node", name: node.name }, undefined, `${known.process}'s default port`);
  return { protocol: "tcp", ip: known.ip, port: known.port, process: known.process, owner: machineNetns(node), cause };
}

/** The container that declares the port, else the pod's first. */
const containerOf = (pod: ClusterPod, listen: PodListen): Container | undefined =>
  pod.containers.find((container) =>
    (container.ports ?? []).some((port) => port.containerPort === listen.port && (port.protocol ?? "TCP") === listen.protocol),
  ) ?? pod.containers[0];

/** Servers whose process is not called as their image. */
const PROCESS_OF_IMAGE: readonly (readonly [RegExp, string])[] = [
  [/^tomcat$|^jetty$|^openjdk$|^elasticsearch$|^kafka$/, "java"],
  [/nginx/, "nginx"],
  [/^mysql$|^mariadb$/, "mysqld"],
  [/^redis$/, "redis-server"],
  [/^postgres(ql)?$/, "postgres"],
  [/^mongo(db)?$/, "mongod"],
  [/^rabbitmq$/, "beam.smp"],
];

/** What `ss -p` would show: the command's program, else the one that the image is known for; else what people call it, the container. */
export function processName(container: Container | undefined): string {
  const program = container?.command?.[0];
  if (program !== undefined && !/(^|\/)(ba|da|a)?sh$/.test(program)) return comm(baseName(program));
  const image = imageName(container?.image ?? "");
  return comm(PROCESS_OF_IMAGE.find(([pattern]) => pattern.test(image))?.[1] ?? container?.name ?? image);
}

/** `registry:5000/team/tomcat:6.0@sha256:…` is `tomcat`. */
const imageName = (image: string): string => baseName(image.split("@")[0] ?? "").split(":")[0] ?? "";
const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
/** TASK_COMM_LEN is 16 with the closing NUL. */
const comm = (name: string): string => name.slice(0, 15);
