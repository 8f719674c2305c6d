/** The two programs: whom the server saw, and what the client was told. */
import { formatSocket, type Packet, type Port } from "../../net/packet.ts";
import type { Observation } from "../observe.ts";
import type { Predicted } from "../predict.ts";
import type { Bindings } from "./bindings.ts";
import type { Difference } from "./difference.ts";

/** Who answered, and whom it saw. */
export function compareServer({ connection }: Predicted, { serverSaw, flow }: Observation, bindings: Bindings): Difference[] {
  const { socket, arrived, verdict } = connection;
  if (verdict !== "delivered" || !socket || !arrived || flow.protocol === "icmp" || flow.protocol === "icmpv6") return [];
  if (!serverSaw) return [{ about: "server", text: `${socket.owner} did not answer` }];
  const bound = (port: Port): Port => (typeof port === "string" ? (bindings.get(port) ?? port) : port);
  const expected = {
    server: socket.owner,
    local: formatSocket(arrived.dst, bound(arrived.dport)),
    peer: formatSocket(arrived.src, bound(arrived.sport)),
  };
  const same = expected.server === serverSaw.server && expected.local === serverSaw.local && expected.peer === serverSaw.peer;
  return same ? [] : [{ about: "server", text: `predicted ${JSON.stringify(expected)}, answered ${JSON.stringify(serverSaw)}` }];
}

/** What the client program learns. */
export function compareClient(predicted: Predicted, { client, flow }: Observation): Difference[] {
  const expected = expectedClient(predicted, flow.protocol);
  const got = client.errno === undefined ? client.verdict : `${client.verdict} ${client.errno}`;
  return expected.includes(got)
    ? []
    : [{ about: "client", text: `predicted ${expected.join(" or ")}, was ${got} after ${Math.round(client.ms)} ms` }];
}

function expectedClient({ connection, reply }: Predicted, protocol: string): readonly string[] {
  const { verdict, errno = "", end } = connection;
  if (verdict === "delivered") return ["answered"];
  if (errno === "EPERM") return ["unreachable EPERM"];
  if (verdict === "rejected" || verdict === "looped") {
    if (protocol === "udp" && end.kind === "answered" && !isFatalForUdp(reply.at(-1)?.packet)) return ["timeout"];
    if (protocol.startsWith("icmp") && verdict === "looped") return ["unreachable ETTL"];
    return [errno === "ECONNREFUSED" ? "refused ECONNREFUSED" : `unreachable ${errno}`];
  }
  if (connection.reply.third) return ["no-answer"];
  return ["timeout"];
}

/** icmp_err_convert: which errors a UDP socket without IP_RECVERR is told (net/ipv4/icmp.c). */
function isFatalForUdp(packet: Packet | undefined): boolean {
  if (packet?.segment.kind !== "icmp-error") return false;
  const { type, code } = packet.segment;
  if (packet.protocol === "icmpv6") return type === 1 && (code === 4 || code === 1);
  return type === 3 && ![0, 1, 5, 11, 12].includes(code);
}
