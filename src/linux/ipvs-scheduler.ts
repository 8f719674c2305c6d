/**
 * Which real server a new connection gets. Facts: net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,sed,nq,sh,dh,mh,lblc}.c,
 * ip_vs_core.c (ip_vs_sched_persist). Round robin gives equal shares. What looks at open connections is asked about idle
 * servers here: equal shares, said to be assumed. What hashes always picks the same server; which one depends on the order
 * in which the servers were added, so that is assumed too.
 */
import { familyOf, type Ip, ipToBigInt } from "../net/address.ts";
import { type Fraction, fraction, ONE } from "../net/fraction.ts";
import type { Packet } from "../net/packet.ts";
import { addStep, type Flight } from "./flight.ts";
import type { Hook } from "./netfilter/table.ts";
import type { Netns } from "./netns.ts";
import type { RealServer, VirtualServer } from "./virtual-server.ts";

/** The server, or undefined when there is none to give. A persistent service first looks where the client went before. */
export function scheduleServer(flight: Flight, netns: Netns, hook: Hook, service: VirtualServer): RealServer | undefined {
  const servers = service.servers().filter(({ weight }) => weight > 0);
  const template = `${netns.id} ${service.protocol} ${service.ip} ${service.port} ${flight.packet.src}`;
  const before = service.persistentSeconds === undefined ? undefined : flight.run.persistence.get(template);
  const known = before && servers.find(({ ip, port }) => ip === before.ip && port === before.port);
  if (known) {
    addStep(flight, { kind: "note", text: `IPVS: this client's earlier connection went to ${known.ip}, so this one does` });
    return known;
  }
  const picked = servers.length < 2 ? servers[0] : pick(flight, hook, service, servers);
  if (picked && service.persistentSeconds !== undefined) flight.run.persistence.set(template, { ip: picked.ip, port: picked.port });
  return picked;
}

function pick(flight: Flight, hook: Hook, service: VirtualServer, servers: readonly RealServer[]): RealServer | undefined {
  const key = hashedPart(service, flight.packet);
  if (key === undefined) return split(flight, hook, service, servers);
  const assumed = `scheduler ${service.scheduler}: ${key.of} always gets the same real server, but which one depends on the order in which they were added`;
  addStep(flight, { kind: "choice", hook, share: ONE, assumed });
  return table(servers)[key.bucket % totalWeight(servers)];
}

/** Every server with the share of its weight. */
function split(flight: Flight, hook: Hook, service: VirtualServer, servers: readonly RealServer[]): RealServer | undefined {
  const shares = servers.map(({ weight }): Fraction => fraction(weight, totalWeight(servers)));
  const at = flight.run.choose(shares);
  const assumed = isRoundRobin(service.scheduler)
    ? {}
    : { assumed: `scheduler ${service.scheduler} looks at open connections: taken as none on any real server, so equal shares` };
  addStep(flight, { kind: "choice", hook, share: shares[at] ?? ONE, ...assumed });
  return servers[at];
}

const isRoundRobin = (scheduler: string): boolean => scheduler === "rr" || scheduler === "wrr";
const totalWeight = (servers: readonly RealServer[]): number => servers.reduce((sum, { weight }) => sum + weight, 0);

/** The buckets' servers: each as often as its weight, the one that was added last first (list_add_rcu). */
const table = (servers: readonly RealServer[]): readonly RealServer[] =>
  servers.toReversed().flatMap((server) => Array.from({ length: server.weight }, () => server));

/** What a scheduler hashes, and the bucket of 256 that it falls into; undefined for those that do not hash. */
function hashedPart(service: VirtualServer, packet: Packet): { readonly of: string; readonly bucket: number } | undefined {
  switch (service.scheduler) {
    case "sh":
      return { of: "a client address", bucket: hash32(fold(packet.src)) };
    case "dh":
    case "lblc":
    case "lblcr":
      return { of: "a destination address", bucket: hash32(fold(packet.dst)) };
    case "mh":
      return service.schedulerFlags?.includes("mh-port")
        ? { of: "a client address and port", bucket: hash32(fold(packet.src) + (typeof packet.sport === "number" ? packet.sport : 0)) }
        : { of: "a client address", bucket: hash32(fold(packet.src)) };
    default:
      return undefined;
  }
}

/** An address as 32 bits: IPv6 by xor of its four words. */
function fold(ip: Ip): number {
  const value = ipToBigInt(ip);
  if (familyOf(ip) === 4) return Number(value);
  const words = [0n, 32n, 64n, 96n].map((shift) => Number((value >> shift) & 0xffffffffn));
  return words.reduce((sum, word) => sum ^ word, 0) >>> 0;
}

/** hash_32(value, 8) of include/linux/hash.h, by the golden ratio (the schedulers use it since Linux 4.18). */
const hash32 = (value: number): number => Math.imul(value, 0x61c88647) >>> 24;
