/**
 * Ports that kube-proxy held open without reading from them, so that nobody else would take them: node ports, and external
 * addresses that are the node's own. Up to 1.23 in iptables and ipvs mode (pull 108496), always in userspace mode.
 * Facts: pkg/proxy/iptables/proxier.go of 1.17 to 1.23 (openLocalPort: TCP and UDP only; "tcp", from 1.18 on "tcp4" and "tcp6").
 * No packet of a Service passes through them; what reaches one (127.0.0.1 in ipvs mode) is never read.
 */
import type { Cluster, ClusterNode } from "../../cluster/cluster.ts";
import type { ListeningSocket } from "../../linux/netns.ts";
import type { Ip } from "../../net/address.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { machineNetns } from "../machine.ts";
import { portField, serviceCause } from "./iptables/context.ts";
import { isAtLeast } from "./names.ts";
import { nodePortAddresses } from "./node-addresses.ts";
import { type ServicePort, servicePorts } from "./service-ports.ts";

/** The sockets, one an address family and port; `localAddresses`: what the node's interfaces hold besides the listed ones. */
export function heldPorts(cluster: Cluster, node: ClusterNode, causes: CauseTable, localAddresses: readonly Ip[]): ListeningSocket[] {
  const { mode } = cluster.kubeProxy;
  const holds = mode === "userspace" || ((mode === "iptables" || mode === "ipvs") && !isAtLeast(cluster.version, 24));
  if (!holds) return [];
  const isOneSocket = !isAtLeast(cluster.version, 18);
  const own = new Set([...node.interfaces.flatMap((each) => each.addresses.map(({ ip }) => ip)), ...localAddresses]);
  const owner = machineNetns(node);
  return (isOneSocket ? ([4] as const) : ([4, 6] as const)).flatMap((family) => {
    const listed = nodePortAddresses(cluster, node, family, localAddresses);
    const at = listed.matchAll ? ["*" as const] : listed.addresses;
    const held = (port: ServicePort, ip: Ip | "*", number: number, field: Parameters<typeof serviceCause>[3]): ListeningSocket => ({
      protocol: port.protocol,
      ip,
      port: number,
      process: "kube-proxy",
      owner,
      isDeaf: true,
      ...(ip === "*" ? { families: isOneSocket ? ("both" as const) : family } : {}),
      cause: serviceCause({ causes }, port, "node-port", field, "held open by kube-proxy, which reads nothing from it"),
    });
    return servicePorts(cluster, family)
      .filter(({ protocol }) => protocol !== "sctp")
      .flatMap((port) => [
        ...port.externalIPs
          .filter(({ value }) => own.has(value))
          .map(({ value, index }) => held(port, value, port.port.port, ["spec", "externalIPs", index])),
        ...(port.nodePort === undefined ? [] : at.map((ip) => held(port, ip, port.nodePort ?? 0, portField(port, "nodePort")))),
      ]);
  });
}
