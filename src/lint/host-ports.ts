/** Ports of the node itself that pods ask for, with the fields that ask (scheduler plugin NodePorts, CNI plugin portmap). */
import type { ClusterPod } from "../cluster/cluster.ts";
import type { HostPort } from "../cluster/scheduler/host-ports.ts";
import type { PathPart } from "../objects/source.ts";
import { declaredPorts } from "./pod-makers.ts";

export type AskedHostPort = HostPort & { readonly containerPort: number; readonly field: readonly PathPart[] };

/** With hostNetwork a containerPort is its own hostPort (apis/core/v1/defaults.go). */
export const askedHostPorts = ({ spec }: Pick<ClusterPod, "spec">): AskedHostPort[] =>
  declaredPorts({ spec }).flatMap(({ port, field }): AskedHostPort[] => {
    const number = port.hostPort || (spec.hostNetwork ? port.containerPort : 0);
    if (!number) return [];
    const name = port.hostPort ? "hostPort" : "containerPort";
    const { protocol = "TCP", hostIP, containerPort } = port;
    return [{ protocol, ip: hostIP || "0.0.0.0", port: number, containerPort, field: [...field, name] }];
  });
