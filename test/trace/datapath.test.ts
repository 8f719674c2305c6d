/** What the kernel was seen to do (fixtures/datapath), line by line: devices, tuples, TTLs, outer headers, conntrack, errors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entryTuples } from "../../src/linux/conntrack.ts";
import { createRun, explore } from "../../src/linux/run.ts";
import type { Hop } from "../../src/linux/step.ts";
import { formatFraction } from "../../src/net/fraction.ts";
import type { Packet } from "../../src/net/packet.ts";
import { walkConnection } from "../../src/trace/connection.ts";
import {
  CPORT,
  captureLine,
  type HopTable,
  openVariant,
  portText,
  readHopTables,
  readRows,
  renamePorts,
  shortName,
  specOf,
  type Walked,
  walkAll,
} from "./datapath.ts";

for (const table of readHopTables()) {
  test(`hops: ${table.name}`, () => {
    const session = openVariant(table.variant);
    const walked = walkAll(session, specOf(table.source, table.destination, "tcp"));
    const lines = (hops: readonly Hop[]): string[] =>
      hops.flatMap(({ netns, seen }) => seen.map((one) => captureLine(session, netns, one)));
    const { run, connection } = chosen(walked, table);
    const tracked = run.conntrack
      .filter(({ original }) => original.protocol === "tcp")
      .map((entry) => `${shortName(entry.netns)} tcp ${entryTuples(entry).replaceAll(":49152", ":cport")}`);
    const actual = { forward: lines(connection.hops), reply: lines(connection.reply.hops), conntrack: tracked.sort() };
    const { forward, reply } = table;
    assert.deepEqual(renamed(actual), renamed({ forward, reply, conntrack: [...table.conntrack].sort() }));
    const outcomes: Readonly<Record<string, string>> = {
      answered: "delivered",
      TIMEOUT: "unanswered",
      ECONNREFUSED: "rejected",
      EHOSTUNREACH: "rejected",
    };
    assert.equal(connection.verdict, outcomes[table.outcome]);
    if (table.sees !== undefined) assert.equal(renamePorts(seenBy(connection.arrived)), renamePorts(table.sees));
  });
}

/** Ports that masquerade drew count by which of them are equal, over the whole table. */
const renamed = (table: {
  readonly forward: readonly string[];
  readonly reply: readonly string[];
  readonly conntrack: readonly string[];
}) => renamePorts(JSON.stringify(table, undefined, 1)).split("\n");

const seenBy = (packet: Packet | undefined): string => (packet ? `${packet.src}:${portText(packet.sport)}` : "nothing");

/** The path whose packet arrives where the table's does. */
function chosen(walked: readonly Walked[], table: HopTable): Walked["value"] {
  const last = /(\d+\.\d+\.\d+\.\d+):\d+ t\d+/.exec(table.forward.at(-1) ?? "")?.[1];
  const found = walked.find(({ value }) => arrivedAt(value) === last) ?? (walked.length === 1 ? walked[0] : undefined);
  assert.ok(found, `a path ends at ${last}: ${walked.map(({ value }) => arrivedAt(value)).join(", ")}`);
  return found.value;
}

const arrivedAt = ({ connection }: Walked["value"]): string => connection.hops.at(-1)?.seen.at(-1)?.packet.dst ?? "";

for (const file of ["flows.txt", "sysctls.txt"]) {
  for (const row of readRows(file)) {
    const [source = "", destination = "", protocol = "", variant = "-", endpoint = "-", verdict, reason = "-", sees = "-", ttl = "-"] = row;
    test(`${file}: ${row.slice(0, 5).join(" | ")}: ${verdict}`, () => {
      const walked = walkAll(openVariant(variant), specOf(source, destination, protocol));
      const paths = endpoint === "-" ? walked : walked.filter(({ value }) => endedAt(value) === endpoint);
      assert.ok(
        paths.length > 0,
        `paths: ${walked.map(({ value }) => `${endedAt(value)} ${value.connection.verdict} ${value.connection.text}`).join("; ")}`,
      );
      for (const { value } of paths) {
        const { connection } = value;
        const arrived = connection.arrived;
        const actual = {
          verdict: connection.verdict,
          reason: connection.reason ?? "-",
          sees: arrived ? renamePorts(seenBy(arrived)) : "-",
          ttl: arrived ? String(arrived.ttl) : "-",
        };
        assert.deepEqual(actual, { verdict, reason, sees: renamePorts(sees), ttl }, connection.text);
      }
    });
  }
}

const endedAt = ({ connection }: Walked["value"]): string => {
  const { end } = connection;
  return end.kind === "socket" || end.kind === "answered" || end.kind === "dropped" ? end.packet.dst : "";
};

for (const row of readRows("errors.txt")) {
  const [source = "", destination = "", protocol = "", variant = "-", verdict, reason = "-", packet = "-", sender = "-", ttl = "-", errno] =
    row;
  test(`errors.txt: ${row.slice(0, 4).join(" | ")}: ${errno}`, () => {
    for (const { value } of walkAll(openVariant(variant), specOf(source, destination, protocol))) {
      const { connection } = value;
      const answer = connection.reply.hops.at(-1)?.seen.at(-1)?.packet;
      const isSilent = connection.reply.hops.length === 0;
      const overWire = connection.reply.hops.some((hop) => hop.netns !== connection.end.netns);
      const from = isSilent || !answer ? "-" : sender === "self" && !overWire ? "self" : answer.src;
      assert.deepEqual(
        {
          verdict: connection.verdict,
          reason: connection.reason ?? "-",
          packet: isSilent ? "-" : kindOf(answer),
          sender: from,
          ttl: isSilent ? "-" : String(answer?.ttl),
          errno: connection.errno,
        },
        { verdict, reason, packet, sender, ttl, errno },
        connection.text,
      );
    }
  });
}

function kindOf(packet: Packet | undefined): string {
  const segment = packet?.segment;
  return segment?.kind === "icmp-error" ? `${segment.type}/${segment.code}` : (segment?.kind ?? "-").toUpperCase();
}

const stickyFrom: readonly (readonly [string, string])[] = [
  ["nginx", "-"],
  ["node2", "-"],
  ["client", "client-service-route"],
];
for (const [source, variant] of stickyFrom) {
  test(`sessionAffinity ClientIP: all connections of ${source} go to the endpoint of its first, whichever that is`, () => {
    const session = openVariant(variant);
    const branches = explore((choose) => {
      const run = createRun(session.world, choose);
      const ports = [CPORT, CPORT + 1, CPORT + 2, CPORT + 3];
      return ports.map((sport) => walkConnection(run, { ...specOf(source, "10.96.0.85:80", "tcp"), sport }).arrived?.dst);
    });
    assert.deepEqual(
      branches.map(({ share, value }) => `${formatFraction(share)} ${[...new Set(value)].join(" ")}`),
      ["1/3 10.244.1.11", "1/3 10.244.2.10", "1/3 10.244.2.11"],
    );
  });
}
