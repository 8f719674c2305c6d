/** Objects for tests, as the reader of manifests makes them, without the writing. */
import type { ApiObject, Labels, Node, Pod, PodSpec, Service, ServiceSpec, Workload, WorkloadKind } from "../../src/objects/api.ts";
import type { Source } from "../../src/objects/source.ts";

export const source = (file: string): Source => ({ file, offset: 0, path: [] });

export const node = (
  name: string,
  ip: string,
  podCIDR: string,
  more: { labels?: Labels; taints?: NonNullable<Node["spec"]>["taints"] } = {},
): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, ...(more.labels ? { labels: more.labels } : {}) },
  spec: { podCIDR, podCIDRs: [podCIDR], ...(more.taints ? { taints: more.taints } : {}) },
  status: { addresses: [{ type: "InternalIP", address: ip }] },
  source: source(`node-${name}.yaml`),
});

export const CONTROL_PLANE = {
  labels: { "node-role.kubernetes.io/control-plane": "" },
  taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
};
/** A control-plane node and two workers. */
export const THREE_NODES: readonly Node[] = [
  node("n1", "10.0.2.4", "10.244.0.0/24", CONTROL_PLANE),
  node("n2", "10.0.2.5", "10.244.1.0/24"),
  node("n3", "10.0.2.15", "10.244.2.0/24"),
];

export function workload(
  kind: WorkloadKind,
  name: string,
  spec: PodSpec = {},
  more: Workload["spec"] & { labels?: Labels } = {},
): Workload {
  const { labels = { app: name }, ...rest } = more;
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: "default" },
    spec: {
      selector: kind === "ReplicationController" ? labels : { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "x" }], ...restart(kind), ...spec } },
      ...rest,
    },
    source: source(`${name}.yaml`),
  };
}

/** The API has no default that a Job may have. */
const restart = (kind: WorkloadKind): PodSpec => (kind === "Job" || kind === "CronJob" ? { restartPolicy: "Never" } : {});

export const pod = (name: string, spec: PodSpec = {}, more: Partial<Pod["metadata"]> & { status?: Pod["status"] } = {}): Pod => {
  const { status, ...metadata } = more;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name }, ...metadata },
    spec: { containers: [{ name: "c", image: "x" }], ...spec },
    ...(status ? { status } : {}),
    source: source(`${name}.yaml`),
  };
};

export const service = (name: string, spec: ServiceSpec, namespace = "default"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec,
  source: source(`svc-${name}.yaml`),
});

export const port = (containerPort: number, name?: string, more: { hostPort?: number; protocol?: "TCP" | "UDP" } = {}): PodSpec => ({
  containers: [{ name: "c", image: "x", ports: [{ containerPort, ...(name ? { name } : {}), ...more }] }],
});

export const all = (...objects: readonly (ApiObject | readonly ApiObject[])[]): ApiObject[] => objects.flat();
