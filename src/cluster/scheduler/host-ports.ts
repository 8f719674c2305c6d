/** The ports of the node itself that a pod asks for: the scheduler's NodePorts filter (pkg/scheduler/framework/plugins/nodeports). */
import type { Container, PodSpec } from "../../objects/api.ts";

export type HostPort = { readonly protocol: string; readonly ip: string; readonly port: number };

/** The containers that stay: the ordinary ones, and init containers that are sidecars. */
export const lastingContainers = (spec: PodSpec): readonly Container[] => [
  ...(spec.containers ?? []),
  ...(spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always"),
];

/** With hostNetwork a containerPort is its own hostPort (apis/core/v1/defaults.go). */
export const hostPortsOf = (spec: PodSpec): HostPort[] =>
  lastingContainers(spec).flatMap((container) =>
    (container.ports ?? []).flatMap((each) => {
      const port = each.hostPort || (spec.hostNetwork ? each.containerPort : 0);
      return port ? [{ protocol: each.protocol ?? "TCP", ip: each.hostIP || "0.0.0.0", port }] : [];
    }),
  );

export const hostPortsClash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
