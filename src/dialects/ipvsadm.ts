/**
 * ipvsadm 1.31: `ipvsadm -Ln` and `ipvsadm -Sn`. Connection counters are 0: nothing is open before a trace. Services come in
 * the order of the kernel's hash table, here by protocol, address and port.
 */
import type { RealServer, VirtualServer, VirtualServers } from "../linux/virtual-server.ts";
import { familyOf, type Ip, parseIp } from "../net/address.ts";
import { formatSocket } from "../net/packet.ts";
import { printableWord } from "./printable.ts";

/** The version of the kernel module, and the size of its connection table where CONFIG_IP_VS_TAB_BITS is the default 12. */
const HEADER = [
  "IP Virtual Server version 1.2.1 (size=4096)",
  "Prot LocalAddress:Port Scheduler Flags",
  "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
];

/** `ipvsadm -Ln` */
export function printIpvsadm(servers: VirtualServers | undefined): string {
  const lines = inOrder(servers).flatMap((server) => [
    `${server.protocol.toUpperCase().padEnd(4)} ${socketText(server)} ${printableWord(server.scheduler)}${flagsText(server)}`,
    ...server.servers().map(realLine),
  ]);
  return [...HEADER, ...lines].map((line) => `${line}\n`).join("");
}

const realLine = (real: RealServer): string =>
  `  -> ${socketText(real).padEnd(28)} ${"Masq".padEnd(7)} ${String(real.weight).padEnd(6)} ${"0".padEnd(10)} ${"0".padEnd(10)}`;

const socketText = ({ ip, port }: { readonly ip: Ip; readonly port: number }): string => formatSocket(ip, port);

const flagsText = ({ schedulerFlags = [], persistentSeconds }: VirtualServer): string =>
  `${schedulerFlags.length > 0 ? ` (${schedulerFlags.join(",")})` : ""}${persistentSeconds === undefined ? "" : ` persistent ${persistentSeconds}`}`;

const OPTION = { tcp: "-t", udp: "-u", sctp: "--sctp-service" } as const;

/** `ipvsadm -Sn`: the commands that make them. */
export function printIpvsadmSave(servers: VirtualServers | undefined): string {
  const lines = inOrder(servers).flatMap((server) => {
    const service = `${OPTION[server.protocol]} ${socketText(server)}`;
    const flags = server.schedulerFlags?.length ? ` -b ${server.schedulerFlags.join(",")}` : "";
    const persistent = server.persistentSeconds === undefined ? "" : ` -p ${server.persistentSeconds}`;
    return [
      `-A ${service} -s ${printableWord(server.scheduler)}${persistent}${flags}`,
      ...server.servers().map((real) => `-a ${service} -r ${socketText(real)} -m -w ${real.weight}`),
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}

function inOrder(servers: VirtualServers | undefined): readonly VirtualServer[] {
  const key = (server: VirtualServer): string => `${server.protocol} ${familyOf(server.ip)} ${server.ip}`;
  return [...(servers?.all() ?? [])].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.port - b.port));
}

export type IpvsadmText = {
  readonly servers: readonly VirtualServer[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
};

/** Reads `ipvsadm -Ln`. A forwarding method other than Masq, and firewall-mark services, are said and left out. */
export function parseIpvsadm(text: string): IpvsadmText {
  const problems: { line: number; message: string }[] = [];
  const drafts: { server: VirtualServer; reals: RealServer[] }[] = [];
  let skips = false;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || HEADER.some((head) => line.startsWith(head.slice(0, 20)))) continue;
    if (line.trimStart().startsWith("->")) {
      const real = readReal(line);
      if (typeof real === "string") problems.push({ line: at + 1, message: real });
      else if (!skips) drafts.at(-1)?.reals.push(real);
      continue;
    }
    const reals: RealServer[] = [];
    const server = readService(line, reals);
    skips = typeof server === "string";
    if (typeof server === "string") problems.push({ line: at + 1, message: server });
    else drafts.push({ server, reals });
  }
  return { servers: drafts.map(({ server }) => server), problems };
}

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

function readService(line: string, reals: readonly RealServer[]): VirtualServer | string {
  const [word = "", address = "", scheduler = "", ...flags] = line.trim().split(/\s+/);
  const protocol = PROTOCOLS.find((name) => name === word.toLowerCase());
  const socket = readSocket(address);
  if (protocol === undefined || socket === undefined || scheduler === "") return `not a virtual server: ${JSON.stringify(line.trim())}`;
  const inBrackets = flags.find((flag) => /^\(.*\)$/.test(flag));
  const persistent = flags.indexOf("persistent");
  const seconds = persistent < 0 ? undefined : Number(flags[persistent + 1]);
  if (seconds !== undefined && !Number.isInteger(seconds)) return `persistent without a time: ${JSON.stringify(line.trim())}`;
  return {
    protocol,
    ...socket,
    scheduler,
    ...(inBrackets === undefined ? {} : { schedulerFlags: inBrackets.slice(1, -1).split(",") }),
    ...(seconds === undefined ? {} : { persistentSeconds: seconds }),
    servers: () => reals,
    emptyReason: "no-endpoints",
    cause: 0,
  };
}

function readReal(line: string): RealServer | string {
  const [, address = "", forward = "", weight = ""] = line.trim().split(/\s+/);
  const socket = readSocket(address);
  if (socket === undefined || !/^\d{1,10}$/.test(weight)) return `not a real server: ${JSON.stringify(line.trim())}`;
  if (forward !== "Masq") return `forwarding by ${JSON.stringify(forward)} is not modelled`;
  return { ...socket, weight: Number(weight) };
}

/** `ip:port` or `[ip6]:port`. */
function readSocket(text: string): { readonly ip: Ip; readonly port: number } | undefined {
  const match = /^\[?([0-9A-Fa-f.:]+?)\]?:(\d{1,5})$/.exec(text);
  const ip = parseIp(match?.[1] ?? "");
  const port = Number(match?.[2]);
  return ip === undefined || port > 65535 ? undefined : { ip, port };
}
