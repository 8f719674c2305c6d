/** What conntrack says of packets, and the two tuples that NAT is made of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { confirmEntry, entryTuples, type Tracked, trackPacket } from "../../src/linux/conntrack.ts";
import { applyNat, setupNat } from "../../src/linux/nat.ts";
import { createRun, type Run } from "../../src/linux/run.ts";
import type { Packet } from "../../src/net/packet.ts";
import { packet, world } from "./build.ts";

const startRun = (): Run => createRun(world(), () => 0);
const back = (of: Packet, segment: Packet["segment"]): Packet => ({
  ...of,
  src: of.dst,
  sport: of.dport,
  dst: of.src,
  dport: of.sport,
  segment,
});
const syn = packet();
const [synAck, third, rst] = [back(syn, { kind: "syn-ack" }), packet({ segment: { kind: "third" } }), back(syn, { kind: "rst" })];
const query = packet({ protocol: "udp", dport: 53, segment: { kind: "datagram" } });
const ping = packet({ protocol: "icmp", sport: 7, dport: 7, segment: { kind: "echo-request" } });

/** The states of packets that cross one stack in turn; each is confirmed, as one that gets through is. */
function states(packets: readonly Packet[]): string[] {
  const run = startRun();
  return packets.map((one) => {
    const tracked = trackPacket(run, "m", one);
    confirmEntry(run, tracked);
    return "direction" in tracked ? `${tracked.state} ${tracked.direction}` : tracked.state;
  });
}

const REFUSED = ["NEW original", "ESTABLISHED reply"];
const courses: readonly (readonly [string, readonly Packet[], readonly string[]])[] = [
  ["a handshake", [syn, synAck, third], ["NEW original", "ESTABLISHED reply", "ESTABLISHED original"]],
  ["a SYN sent again is still new", [syn, syn], ["NEW original", "NEW original"]],
  ["an ACK whose SYN-ACK went another way is invalid", [syn, third], ["NEW original", "INVALID"]],
  ["an ACK of an unknown connection is picked up", [third], ["NEW original"]],
  ["a SYN-ACK of an unknown connection is not", [synAck], ["INVALID"]],
  ["nor is a reset", [rst], ["INVALID"]],
  ["a reset of a known one is its answer", [syn, rst], ["NEW original", "ESTABLISHED reply"]],
  ["it deletes the connection: what is said of it later is invalid", [syn, rst, error("10.0.0.2", syn)], [...REFUSED, "INVALID"]],
  ["and what its client sends begins another", [syn, rst, syn], [...REFUSED, "NEW original"]],
  [
    "a reset of one that was answered does not",
    [syn, synAck, rst, error("10.0.0.2", syn)],
    ["NEW original", "ESTABLISHED reply", "ESTABLISHED reply", "RELATED reply"],
  ],
  ["UDP and its answer", [query, back(query, { kind: "datagram" }), query], ["NEW original", "ESTABLISHED reply", "ESTABLISHED original"]],
  ["UDP without an answer stays new", [query, query], ["NEW original", "NEW original"]],
  ["ping", [ping, back(ping, { kind: "echo-reply" })], ["NEW original", "ESTABLISHED reply"]],
  ["an echo reply that nobody asked for", [back(ping, { kind: "echo-reply" })], ["INVALID"]],
  ["an ICMP error about a known packet travels with its answers", [syn, error("10.0.0.2", syn)], ["NEW original", "RELATED reply"]],
  ["one about an unknown packet", [error("10.0.0.2", syn)], ["INVALID"]],
];
for (const [name, packets, expected] of courses) test(`conntrack: ${name}`, () => assert.deepEqual(states(packets), expected));

function error(from: string, about: Packet): Packet {
  return packet({
    protocol: "icmp",
    src: from,
    sport: 0,
    dst: about.src,
    dport: 0,
    segment: { kind: "icmp-error", type: 3, code: 3, quoted: about },
  });
}

test("conntrack: a packet that was never confirmed left nothing behind", () => {
  const run = startRun();
  trackPacket(run, "m", syn);
  assert.deepEqual(run.conntrack, []);
  assert.equal(trackPacket(run, "m", synAck).state, "INVALID");
});
test("conntrack: every stack has its own table", () => {
  const run = startRun();
  confirmEntry(run, trackPacket(run, "m", syn));
  assert.equal(trackPacket(run, "other", synAck).state, "INVALID");
});

/** client 10.0.0.1 asks 10.96.0.1:80, rewritten to 10.244.0.9:8080 and masqueraded to 10.244.0.1. */
function natted(): { readonly run: Run; readonly tracked: Tracked & { readonly state: "NEW" | "ESTABLISHED" }; readonly first: Packet } {
  const run = startRun();
  const first = packet({ dst: "10.96.0.1" });
  const tracked = trackPacket(run, "m", first);
  assert.ok(tracked.state === "NEW");
  setupNat(tracked.entry, "dst", { ip: "10.244.0.9", port: 8080 }, []);
  setupNat(tracked.entry, "src", { ip: "10.244.0.1", port: "mport1" }, []);
  confirmEntry(run, tracked);
  return { run, tracked, first };
}
const tuple = ({ src, sport, dst, dport }: Packet): string => `${src}:${sport}>${dst}:${dport}`;

test("nat: both tuples of a rewritten connection", () =>
  assert.equal(entryTuples(natted().tracked.entry), "10.0.0.1:40000>10.96.0.1:80 | 10.244.0.9:8080>10.244.0.1:mport1"));

test("nat: the request is rewritten, the answer is rewritten back, each half at its hook", () => {
  const { run, tracked, first } = natted();
  const asked = applyNat(first, tracked, "prerouting").packet;
  assert.equal(tuple(asked), "10.0.0.1:40000>10.244.0.9:8080");
  const sent = applyNat(asked, tracked, "postrouting").packet;
  assert.equal(tuple(sent), "10.244.0.1:mport1>10.244.0.9:8080");
  const answer = back(sent, { kind: "syn-ack" });
  const known = trackPacket(run, "m", answer);
  const forClient = applyNat(answer, known, "prerouting").packet;
  assert.equal(tuple(forClient), "10.244.0.9:8080>10.0.0.1:40000");
  assert.equal(tuple(applyNat(forClient, known, "postrouting").packet), "10.96.0.1:80>10.0.0.1:40000");
});

test("nat: an ICMP error from behind seems to come from the address asked, about the packet sent", () => {
  const { run, tracked, first } = natted();
  const sent = applyNat(applyNat(first, tracked, "prerouting").packet, tracked, "postrouting").packet;
  const failed = error("10.244.0.9", sent);
  const related = trackPacket(run, "m", failed);
  assert.deepEqual("direction" in related && [related.state, related.direction], ["RELATED", "reply"]);
  const forClient = applyNat(applyNat(failed, related, "prerouting").packet, related, "postrouting").packet;
  assert.deepEqual([forClient.src, forClient.dst], ["10.96.0.1", "10.0.0.1"]);
  assert.ok(forClient.segment.kind === "icmp-error");
  assert.equal(tuple(forClient.segment.quoted), tuple(first));
});

test("nat: an echo id is rewritten like a port, both ways", () => {
  const run = startRun();
  const tracked = trackPacket(run, "m", ping);
  assert.ok(tracked.state === "NEW");
  setupNat(tracked.entry, "src", { ip: "192.0.2.1", port: "mport1" }, []);
  confirmEntry(run, tracked);
  const sent = applyNat(ping, tracked, "postrouting").packet;
  assert.equal(tuple(sent), "192.0.2.1:mport1>10.0.0.2:mport1");
  const answer = back(sent, { kind: "echo-reply" });
  assert.equal(tuple(applyNat(answer, trackPacket(run, "m", answer), "prerouting").packet), "10.0.0.2:7>10.0.0.1:7");
});

test("nat: a packet that conntrack does not know is left alone", () => {
  assert.deepEqual(applyNat(syn, { state: "INVALID" }, "prerouting"), { packet: syn });
  assert.deepEqual(applyNat(syn, { state: "UNTRACKED" }, "postrouting"), { packet: syn });
});
