import assert from "node:assert/strict";
import test from "node:test";
import { showPacket } from "../../src/lab/show.ts";
import { parseConntrack, parseCounters } from "../../src/lab/tables.ts";
import { readPacket } from "../../src/lab/wire.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ""), "hex");
const IP = (protocol: string, payload: string, ttl = "40"): string =>
  `4500${((20 + payload.replace(/\s/g, "").length / 2).toString(16)).padStart(4, "0")} 00004000 ${ttl}${protocol}0000 0af4010f 0af4020a ${payload}`;
const SYN = "9c40 1f90 00000001 00000000 5002 faf0 0000 0000";

const cases: readonly (readonly [string, string, string])[] = [
  ["a SYN", IP("06", SYN), "tcp 10.244.1.15:40000>10.244.2.10:8080 t64 syn"],
  ["a SYN-ACK", IP("06", SYN.replace("5002", "5012")), "tcp 10.244.1.15:40000>10.244.2.10:8080 t64 syn-ack"],
  ["an RST", IP("06", SYN.replace("5002", "5014")), "tcp 10.244.1.15:40000>10.244.2.10:8080 t64 rst"],
  ["an ACK", IP("06", SYN.replace("5002", "5010")), "tcp 10.244.1.15:40000>10.244.2.10:8080 t64 third"],
  ["a datagram", IP("11", "9c40 0035 0008 0000", "3f"), "udp 10.244.1.15:40000>10.244.2.10:53 t63 datagram"],
  ["an echo request", IP("01", "0800 0000 0007 0001"), "icmp 10.244.1.15:7>10.244.2.10:7 t64 echo-request"],
  [
    "an ICMP error",
    IP("01", `0303 0000 00000000 ${IP("11", "9c40 0035 0008 0000")}`),
    "icmp 10.244.1.15>10.244.2.10 t64 3/3 about 10.244.1.15:40000>10.244.2.10:53",
  ],
  [
    "IPv6",
    `60000000 0008 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002 9c40 0035 0008 0000`,
    "udp [fd00::1]:40000>[fd00::2]:53 t64 datagram",
  ],
];
for (const [name, hex, expected] of cases) {
  test(`read from the wire: ${name}`, () => {
    const wire = readPacket(bytes(hex));
    assert.equal(wire && showPacket(wire.packet), expected);
  });
}

test("inside a tunnel packet is another one", () => {
  const inner = `0800 0000 000001 00 4ab398 6b681b ae9426722907 0800 ${IP("06", SYN, "3f")}`.replace(
    "0800 0000 000001 00",
    "08000000 00000100",
  );
  const outer = IP("11", `d431 2118 ${(8 + inner.replace(/\s/g, "").length / 2).toString(16).padStart(4, "0")} 0000 ${inner}`);
  const packet = readPacket(bytes(outer), [8472])?.packet;
  assert.equal(packet?.inner && showPacket(packet.inner.packet), "tcp 10.244.1.15:40000>10.244.2.10:8080 t63 syn");
  assert.equal(packet?.inner?.vni, 1);
  assert.equal(packet?.inner?.dstMac, "4a:b3:98:6b:68:1b");
  assert.equal(readPacket(bytes(outer))?.packet.inner, undefined, "another port is no tunnel");
});

test("cut packets are none", () => {
  const whole = bytes(IP("06", SYN));
  for (let length = 0; length < 28; length++) assert.equal(readPacket(whole.subarray(0, length)), undefined);
});

test("conntrack's lines, of the table and of its events", () => {
  const tcp =
    "ipv4     2 tcp      6 118 SYN_SENT src=10.244.1.15 dst=10.96.0.1 sport=4 dport=80 [UNREPLIED] src=10.244.2.10 dst=10.244.1.15 sport=8080 dport=4 mark=0 use=1";
  const expected = {
    netns: "n",
    protocol: "tcp",
    original: { src: "10.244.1.15", dst: "10.96.0.1", sport: 4, dport: 80 },
    reply: { src: "10.244.2.10", dst: "10.244.1.15", sport: 8080, dport: 4 },
    state: "SYN_SENT",
  };
  assert.deepEqual(parseConntrack(`${tcp}\n`, "n"), [expected]);
  assert.deepEqual(parseConntrack(`    [NEW] ${tcp}\n`, "n"), [expected]);
  const ping = parseConntrack(
    "ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=9 use=1",
    "n",
  );
  assert.deepEqual([ping[0]?.original.sport, ping[0]?.reply.dport, ping[0]?.state], [7, 9, "REPLIED"]);
});

test("counters keep a rule's place in its chain, also past rules that were not hit", () => {
  const text =
    "*nat\n:OUTPUT ACCEPT [3:180]\n[0:0] -A OUTPUT -j A\n[2:120] -A OUTPUT -j B\n[1:60] -A A -j RETURN\nCOMMIT\n*filter\n[5:300] -A OUTPUT -j C\nCOMMIT\n";
  assert.deepEqual(
    parseCounters(text, "n", 4).map(({ table, chain, position, packets }) => `${table} ${chain} ${position} ${packets}`),
    ["nat OUTPUT 1 2", "nat A 0 1", "filter OUTPUT 0 5"],
  );
});
