/**
 * kube-proxy as a process in userspace mode (pkg/proxy/userspace/proxysocket.go of 1.20): it accepts what the portal rules
 * bring to one of its ports, and opens a connection of its own to an endpoint. The endpoint sees the node, never the client.
 * With sessionAffinity ClientIP its balancer remembers each client's endpoint (roundrobin.go). Not modelled: the timeout of that,
 * and that a UDP client keeps its endpoint.
 */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import type { Port, Protocol } from "../net/packet.ts";
import type { ProcessForward, ProcessRequest } from "./process.ts";

/** Whom a port of a node's kube-proxy stands for; the agents know, who made the ports. */
export type ProxiedPorts = (
  nodeName: string,
  protocol: Protocol,
  port: Port,
) =>
  | {
      readonly service: string;
      readonly endpoints: readonly { readonly ip: Ip; readonly port: number }[];
      readonly cause: CauseId;
      readonly hasAffinity: boolean;
    }
  | undefined;

/** EndpointDialTimeouts: 0.25, 0.5, 1 and 2 seconds, each for the next endpoint in turn. A UDP socket notices nothing. */
const TCP_TRIES = 4;

/** What kube-proxy does with a connection it took; undefined when the port is none of its proxy ports. */
export function proxyInUserspace(
  ports: ProxiedPorts,
  { owner, process, protocol, port, client }: ProcessRequest,
): ProcessForward | undefined {
  if (process !== "kube-proxy" || !owner.startsWith("node/")) return undefined;
  const proxied = ports(owner.slice("node/".length), protocol, port);
  return (
    proxied && {
      kind: "forward",
      process,
      upstreams: proxied.endpoints,
      service: proxied.service,
      rule: `userspace proxy of ${proxied.service}: a new connection, to each endpoint in turn`,
      cause: proxied.cause,
      tries: protocol === "tcp" ? TCP_TRIES : 1,
      protocol,
      layer: "transport",
      emptyReason: "no-endpoints",
      ...(proxied.hasAffinity ? { keeps: `${owner} ${proxied.service} ${port} ${client}` } : {}),
    }
  );
}
