/**
 * `ss -l`, listening sockets in the columns of iproute2 6.1 (misc/ss.c), always with numbers for ports. Not modelled: process
 * ids, so `-p` shows the name alone; queue lengths other than the default backlog; established connections.
 */
import type { Netns } from "../linux/netns.ts";
import { printableWord } from "./printable.ts";
import { processOf, type ShownSocket, type SocketFilter, shownSockets } from "./socket-list.ts";

export type SsOptions = SocketFilter & { readonly processes?: boolean; readonly header?: boolean };

/** net.core.somaxconn since Linux 5.4, what servers ask for as backlog. */
const BACKLOG = 4096;
const HEADER: Row = {
  netid: "Netid",
  state: "State",
  recvQ: "Recv-Q",
  sendQ: "Send-Q",
  local: "Local Address",
  port: "Port",
  peer: "Peer Address",
  peerPort: "Port",
  process: "Process",
};

type Row = Readonly<Record<"netid" | "state" | "recvQ" | "sendQ" | "local" | "port" | "peer" | "peerPort" | "process", string>>;

/** `ss -ltn`, `-lun`, `-p`… The column Netid shows when more than one protocol may be listed. */
export function printSs(netns: Netns, options: SsOptions = {}): string {
  const chosen = [options.tcp, options.udp, options.sctp].filter(Boolean).length;
  const rows = (["udp", "tcp", "sctp"] as const).flatMap((protocol) =>
    shownSockets(netns, protocol, options).map((shown) => rowOf(protocol, shown, options)),
  );
  const all = options.header === false ? rows : [HEADER, ...rows];
  const width = (key: keyof Row): number => Math.max(0, ...all.map((row) => row[key].length));
  const widths = {
    netid: width("netid"),
    state: width("state"),
    local: width("local"),
    port: width("port"),
    peer: width("peer"),
    peerPort: width("peerPort"),
    process: width("process"),
  };
  return all
    .map(
      (row) =>
        `${chosen === 1 ? "" : `${row.netid.padEnd(widths.netid)} `}${row.state.padEnd(widths.state)} ${row.recvQ.padEnd(width("recvQ"))} ${row.sendQ.padEnd(width("sendQ"))} ` +
        `${row.local.padStart(widths.local)}:${row.port.padEnd(widths.port)} ${row.peer.padStart(widths.peer)}:${row.peerPort.padEnd(widths.peerPort)}${row.process.padEnd(widths.process)}\n`,
    )
    .join("");
}

function rowOf(netid: "tcp" | "udp" | "sctp", shown: ShownSocket, options: SsOptions): Row {
  const process = options.processes ? processOf(shown.socket) : undefined;
  const dual = shown.socket.ip === "*" && shown.v6;
  return {
    netid,
    state: netid === "udp" ? "UNCONN" : "LISTEN",
    recvQ: "0",
    sendQ: netid === "udp" ? "0" : String(BACKLOG),
    local: dual ? "*" : shown.v6 ? `[${shown.ip}]` : shown.ip,
    port: String(shown.socket.port),
    peer: dual ? "*" : shown.v6 ? "[::]" : "0.0.0.0",
    peerPort: "*",
    process: process === undefined ? "" : ` users:(("${printableWord(process)}"))`,
  };
}
