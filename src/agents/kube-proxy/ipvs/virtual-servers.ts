/**
 * The virtual servers of one node and family: pkg/proxy/ipvs/proxier.go (syncProxyRules, syncEndpoint). One for each address
 * and port that a Service answers on; a node port has one an own address. They are made when a packet asks for them.
 */
import type { Reason } from "../../../linux/reason.ts";
import type { VirtualServer, VirtualServers } from "../../../linux/virtual-server.ts";
import type { Ip } from "../../../net/address.ts";
import type { CauseRole } from "../../../objects/cause.ts";
import type { PathPart } from "../../../objects/source.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import { portField, serviceCause } from "../iptables/context.ts";
import { addressKey, once } from "../iptables/dispatch.ts";
import type { ServicePort } from "../service-ports.ts";
import type { IpvsContext } from "./context.ts";

/** One address of a service port, not yet a virtual server. */
type Entrance = {
  readonly port: ServicePort;
  readonly ip: Ip;
  readonly number: number;
  readonly isLocalOnly: boolean; // the traffic policy of this entrance is Local
  readonly role: CauseRole;
  readonly field: readonly PathPart[];
};

/** Looked up by protocol, address and port, as ip_vs_service_find does. */
export function virtualServers(contexts: readonly IpvsContext[]): VirtualServers {
  const makers = once(() => {
    const index = new Map<string, () => VirtualServer>();
    for (const context of contexts) {
      for (const port of context.ports()) {
        for (const entrance of entrancesOf(context, port)) {
          const key = addressKey(port.protocol, entrance.ip, entrance.number);
          if (!index.has(key))
            index.set(
              key,
              once(() => serverOf(context, entrance)),
            );
        }
      }
    }
    return index;
  });
  return {
    lookup: (protocol, ip, port) => makers().get(addressKey(protocol, ip, port))?.(),
    all: () => [...makers().values()].map((make) => make()),
  };
}

function entrancesOf(context: IpvsContext, port: ServicePort): Entrance[] {
  const { externalPolicyLocal, internalPolicyLocal } = port;
  const common = { port, number: port.port.port };
  const listed = (role: CauseRole, field: readonly PathPart[], values: ServicePort["externalIPs"]): Entrance[] =>
    values.map(({ value, index }) => ({ ...common, ip: value, isLocalOnly: externalPolicyLocal, role, field: [...field, index] }));
  const entrances: Entrance[] = [
    { ...common, ip: port.clusterIP, isLocalOnly: internalPolicyLocal, role: "cluster-ip", field: portField(port, "port") },
    ...listed("external-ip", ["spec", "externalIPs"], port.externalIPs),
    ...listed("load-balancer-ip", ["status", "loadBalancer", "ingress"], port.vips),
  ];
  const number = port.nodePort;
  if (number === undefined) return entrances;
  const field = portField(port, "nodePort");
  return [
    ...entrances,
    ...context.nodePortAddresses.map((ip) => ({ port, ip, number, isLocalOnly: externalPolicyLocal, role: "node-port" as const, field })),
  ];
}

function serverOf(context: IpvsContext, { port, ip, number, isLocalOnly, role, field }: Entrance): VirtualServer {
  const decision = context.endpoints.decide(port);
  const chosen = once(() => endpointsFor(context, port, isLocalOnly));
  const emptyReason: Reason = decision.hasEndpoints ? "no-local-endpoints" : "no-endpoints";
  const { scheduler } = context;
  const falls = isLocalOnly && decision.local.length === 0 && decision.hasEndpoints;
  return {
    protocol: port.protocol,
    ip,
    port: number,
    scheduler,
    ...(scheduler === "mh" ? { schedulerFlags: ["mh-port"] } : {}),
    ...(port.affinitySeconds === undefined ? {} : { persistentSeconds: port.affinitySeconds }),
    servers: () => chosen().map((endpoint) => ({ ip: endpoint.ip, port: endpoint.port, weight: 1 })),
    emptyReason,
    ...(falls ? { note: fallBackText(context, port, role, chosen().length > 0) } : {}),
    cause: serviceCause(context, port, role, field),
  };
}

/**
 * syncEndpoint: policy Local without a local endpoint takes all of them, where the other modes drop (pull 97081), whatever the
 * other policy is. That list is empty only for a Service no traffic of which is under policy Cluster (UsesClusterEndpoints in
 * pkg/proxy/serviceport.go): internalTrafficPolicy Local, and no node port, external or balancer address.
 */
function endpointsFor(context: IpvsContext, port: ServicePort, isLocalOnly: boolean): readonly ProxyEndpoint[] {
  const { cluster, local } = context.endpoints.decide(port);
  return isLocalOnly && local.length > 0 ? local : cluster;
}

function fallBackText({ node }: IpvsContext, port: ServicePort, role: CauseRole, fallsBack: boolean): string {
  const policy = role === "cluster-ip" ? "internalTrafficPolicy" : "externalTrafficPolicy";
  const here = `no endpoint of ${port.text} runs on ${node.name} and ${policy} is Local`;
  return fallsBack ? `${here}, so ipvs mode falls back to all endpoints` : here;
}
