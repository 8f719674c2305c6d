/** Node ports of Services as written, and who else wants them. */
import type { Service } from "../objects/api.ts";
import type { PathPart } from "../objects/source.ts";

export type AskedNodePort = {
  readonly service: Service;
  readonly protocol: string;
  readonly port: number;
  readonly field: readonly PathPart[];
};

/** Those that a Service asks for; a health check port counts as one of TCP (registry/core/service/portallocator). */
export function askedNodePorts(service: Service): AskedNodePort[] {
  const { ports = [], healthCheckNodePort } = service.spec ?? {};
  const listed = ports.flatMap(({ nodePort, protocol = "TCP" }, i) =>
    nodePort ? [{ service, protocol, port: nodePort, field: ["spec", "ports", i, "nodePort"] }] : [],
  );
  if (!healthCheckNodePort) return listed;
  return [{ service, protocol: "TCP", port: healthCheckNodePort, field: ["spec", "healthCheckNodePort"] }, ...listed];
}

/** The one that is written at a field. */
export const askedAt = (service: Service, field: readonly PathPart[]): AskedNodePort | undefined =>
  askedNodePorts(service).find((asked) => asked.field.join(" ") === field.join(" "));
