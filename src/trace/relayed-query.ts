/**
 * A query that a process takes and passes on: kube-proxy in userspace mode before the cluster's DNS (pkg/proxy/userspace). The
 * name server sees the process's machine, and one that keeps silent is not replaced: a UDP socket notices nothing.
 */
import type { Who } from "../apps/apps.ts";
import type { ProcessForward } from "../apps/process.ts";
import type { Branch } from "../linux/run.ts";
import { fraction, timesFraction } from "../net/fraction.ts";
import type { Connection } from "./connection.ts";
import { walkAll } from "./course.ts";
import { legOf } from "./leg.ts";
import type { Leg } from "./trace.ts";
import type { TraceNet } from "./trace-net.ts";

export type Relay = {
  readonly proxy: Who;
  readonly decision: ProcessForward;
  readonly connection: Connection;
  readonly to: Leg["to"];
};

/** What takes the query, and how it goes on from there where it does. */
export type Query = { readonly branch: Branch<Connection>; readonly relay?: Relay };

/** The query as it is, or in as many ways as there are targets of the process that took it. */
export function relayed(net: TraceNet, branch: Branch<Connection>, sport: number): Query[] {
  const { socket, arrived, verdict, end } = branch.value;
  if (verdict !== "delivered" || !socket || !arrived) return [{ branch }];
  const { owner, process, protocol, port } = socket;
  const decision = net.apps.askProcess({ owner, process, protocol, ip: arrived.dst, port, client: arrived.src });
  if (decision?.kind !== "forward" || decision.upstreams.length === 0) return [{ branch }];
  const proxy: Who = { ...net.apps.who(owner), netns: end.netns };
  const each = fraction(1, decision.upstreams.length);
  return decision.upstreams.flatMap(({ ip, port: dport }) =>
    walkAll(net, proxy, { protocol: decision.protocol ?? "tcp", dst: ip, dport }, sport).map(
      ({ share, value }): Query => ({
        branch: { value: branch.value, share: timesFraction(branch.share, timesFraction(each, share)) },
        relay: { proxy, decision, connection: value, to: { host: decision.service, ip, port: dport, protocol } },
      }),
    ),
  );
}

/** The leg from the process to the name server. */
export const relayLeg = (net: TraceNet, { proxy, to, connection }: Relay): Leg => legOf(net, "transport", proxy, to, connection);
