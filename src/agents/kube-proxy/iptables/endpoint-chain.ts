/** KUBE-SEP: the end of the way through nat. Hairpin traffic is marked, then the destination becomes the endpoint. */
import type { Match, Rule } from "../../../linux/netfilter/rule.ts";
import { hostCidr } from "../../../net/address.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import type { ServicePort } from "../service-ports.ts";
import {
  ALL,
  type Context,
  comment,
  endpointCause,
  jump,
  MARK_MASQ,
  portField,
  protocolOf,
  ruleOf,
  serviceCause,
  source,
} from "./context.ts";

export function endpointChain(context: Context, port: ServicePort, endpoint: ProxyEndpoint): readonly Rule[] {
  const text: Match[] = context.isLarge() ? [] : [comment(port.text)];
  const remember: Match[] =
    port.affinitySeconds === undefined
      ? []
      : [{ kind: "recent", command: "set", name: context.endpointChain(port, endpoint), side: "rsource" }];
  const { pod } = endpoint.endpoint;
  const note = pod ? `endpoint ${endpoint.text} is pod ${pod.namespace}/${pod.name}` : `endpoint ${endpoint.text}`;
  return [
    ruleOf([source(hostCidr(endpoint.ip)), ...text], jump(MARK_MASQ), endpointCause(context, endpoint, "hairpin")),
    ruleOf(
      [protocolOf(port), ...text, ...remember, { kind: "dport", protocol: port.protocol, ports: ALL }],
      { kind: "dnat", ip: endpoint.ip, ports: { from: endpoint.port, to: endpoint.port } },
      serviceCause(context, port, "endpoint", portField(port, "targetPort"), note),
    ),
  ];
}
