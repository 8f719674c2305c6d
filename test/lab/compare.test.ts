/** The judge is no rubber stamp: an observation made from a prediction agrees, and each way of altering it does not. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Sighting } from "../../src/lab/capture.ts";
import { compareRules } from "../../src/lab/compare/rules.ts";
import { judgeFlow } from "../../src/lab/compare.ts";
import type { Flow, Observation } from "../../src/lab/observe.ts";
import { type Predicted, predictFlow, type SeenThere } from "../../src/lab/predict.ts";
import type { RuleHit } from "../../src/lab/tables.ts";
import type { Packet, Port } from "../../src/net/packet.ts";
import { program } from "../agents/sample-cluster.ts";

const SPORT = 20000;
const MPORT = 51234;
const { world } = program();
// A pod to the host outside: routed, masqueraded, answered.
const flow: Flow = { from: "pod/default/nginx", protocol: "tcp", dst: "192.168.56.1", dport: 80 };

const numbered = (port: Port): number => (typeof port === "number" ? port : MPORT);
const concrete = (packet: Packet): Packet => ({ ...packet, sport: numbered(packet.sport), dport: numbered(packet.dport) });
const asSeen = (seen: readonly SeenThere[], length = 0): Omit<Sighting, "order">[] =>
  seen.map(({ netns, dev, direction, packet }) => ({ netns, dev, direction, packet: concrete(packet), at: 0n, length, fin: false }));

function predictedCourse(): Predicted {
  const [course] = predictFlow(world, flow, SPORT);
  assert.ok(course && course.connection.verdict === "delivered" && course.third.length > 0);
  return course;
}

/** What a kernel that does as predicted would show. */
function observed(course: Predicted): Observation {
  const { socket } = course.connection;
  return {
    flow,
    sport: SPORT,
    client: { verdict: "answered", ms: 1 },
    serverSaw: { server: socket?.owner ?? "", local: "192.168.56.1:80", peer: `192.168.56.101:${MPORT}` },
    sightings: [...asSeen(course.request), ...asSeen(course.reply), ...asSeen(course.third, 2)].map((each, order) => ({ ...each, order })),
    conntrack: course.conntrack.map(({ netns, original, reply }) => ({
      netns,
      protocol: "tcp",
      original: { ...original, sport: numbered(original.sport), dport: numbered(original.dport) },
      reply: { ...reply, sport: numbered(reply.sport), dport: numbered(reply.dport) },
      state: "",
    })),
  };
}

test("the kernel does as predicted: they agree", () => {
  const course = predictedCourse();
  assert.deepEqual(judgeFlow([course], observed(course)), { differences: [], courses: [0], nearest: course });
});

const change = (observation: Observation, at: number, how: (sighting: Sighting) => Sighting | undefined): Observation => ({
  ...observation,
  sightings: observation.sightings.flatMap((each, i) => (i === at ? (how(each) ?? []) : [each])),
});
const repacket =
  (over: Partial<Packet>) =>
  (sighting: Sighting): Sighting => ({ ...sighting, packet: { ...sighting.packet, ...over } });
const LAST_OF_REQUEST = predictedCourse().request.length - 1;
const FIRST_OF_REPLY = LAST_OF_REQUEST + 1;
const LAST = LAST_OF_REQUEST + predictedCourse().reply.length + predictedCourse().third.length;

const alterations: readonly (readonly [string, string, (o: Observation) => Observation])[] = [
  ["another TTL", "request", (o) => change(o, LAST_OF_REQUEST, repacket({ ttl: 64 }))],
  ["another source", "request", (o) => change(o, LAST_OF_REQUEST, repacket({ src: "10.0.2.5" }))],
  ["another masqueraded port than before", "request", (o) => change(o, LAST_OF_REQUEST, repacket({ sport: 999 }))],
  ["another device", "request", (o) => change(o, 3, (each) => ({ ...each, dev: "eth0" }))],
  ["another direction", "request", (o) => change(o, 2, (each) => ({ ...each, direction: "out" }))],
  ["a hop less", "request", (o) => change(o, LAST_OF_REQUEST, () => undefined)],
  ["an interface in between left out", "request", (o) => change(o, 2, () => undefined)],
  ["encapsulated on the way", "request", (o) => change(o, 3, (each) => ({ ...each, outer: each.packet }))],
  ["the answer lost half-way", "reply", (o) => ({ ...o, sightings: o.sightings.slice(0, FIRST_OF_REPLY + 2) })],
  [
    "an RST instead of a SYN-ACK",
    "reply",
    (o) => ({
      ...o,
      sightings: o.sightings.map((each) => (each.packet.segment.kind === "syn-ack" ? repacket({ segment: { kind: "rst" } })(each) : each)),
    }),
  ],
  [
    "the answer not translated back",
    "reply",
    (o) => change(o, LAST_OF_REQUEST + predictedCourse().reply.length, repacket({ dst: "192.168.56.101" })),
  ],
  ["the next packet lost", "third", (o) => change(o, LAST, () => undefined)],
  ["no connection entry", "conntrack", (o) => ({ ...o, conntrack: [] })],
  [
    "an entry with other NAT",
    "conntrack",
    (o) => ({ ...o, conntrack: o.conntrack.map((each) => ({ ...each, reply: { ...each.reply, dst: "10.0.2.5" } })) }),
  ],
  [
    "an entry too many",
    "conntrack",
    (o) => ({ ...o, conntrack: [...o.conntrack, ...o.conntrack.map((each) => ({ ...each, netns: "node/k8s-node3" }))] }),
  ],
  [
    "another server",
    "server",
    (o) => ({ ...o, serverSaw: { server: "somebody", local: "192.168.56.1:80", peer: `192.168.56.101:${MPORT}` } }),
  ],
  [
    "the server saw the pod",
    "server",
    (o) => ({ ...o, serverSaw: { server: o.serverSaw?.server ?? "", local: "192.168.56.1:80", peer: `10.244.1.15:${SPORT}` } }),
  ],
  ["the client timed out", "client", (o) => ({ ...o, client: { verdict: "timeout", ms: 900 } })],
  ["the client was refused", "client", (o) => ({ ...o, client: { verdict: "refused", errno: "ECONNREFUSED", ms: 1 } })],
];
for (const [name, about, alter] of alterations) {
  test(`they disagree: ${name}`, () => {
    const course = predictedCourse();
    const { differences, courses } = judgeFlow([course], alter(observed(course)));
    assert.deepEqual(courses, []);
    assert.ok(
      differences.some((difference) => difference.about === about),
      JSON.stringify(differences),
    );
  });
}

test("of several courses the one that was taken counts", () => {
  const course = predictedCourse();
  const other: Predicted = {
    ...course,
    request: course.request.map((seen) => ({ ...seen, packet: { ...seen.packet, dst: "192.168.56.9" } })),
  };
  assert.deepEqual(judgeFlow([other, course], observed(course)).courses, [1]);
});

test("rules: each missing, surplus or miscounted one is told", () => {
  const course = predictedCourse();
  const counts = new Map<string, RuleHit>();
  for (const { netns, family, table, chain, position, again } of course.rules) {
    const key = `${netns} ${table} ${chain} ${position}`;
    const packets = (counts.get(key)?.packets ?? 0) + (again && table === "nat" ? 0 : 1);
    counts.set(key, { netns, family, table, chain, position, packets, text: "" });
  }
  const hits = [...counts.values()].filter(({ packets }) => packets > 0);
  assert.ok(hits.some(({ table }) => table === "nat") && hits.some(({ table }) => table === "filter"));
  assert.deepEqual(compareRules([[course]], hits), []);
  const nat = hits.find(({ table }) => table === "nat");
  assert.ok(nat);
  assert.match(compareRules([[course]], hits.slice(1))[0]?.text ?? "", /^not hit: /);
  assert.match(compareRules([[course]], [...hits, { ...nat, position: 99 }])[0]?.text ?? "", /^hit, but not predicted: /);
  assert.match(
    compareRules(
      [[course]],
      hits.map((hit) => (hit === nat ? { ...hit, packets: 7 } : hit)),
    )[0]?.text ?? "",
    /^predicted 1 times, hit 7 times: /,
  );
});

test("rules: of courses that packets cannot tell apart, those are taken that explain every counter", () => {
  const course = predictedCourse();
  const rule = course.rules.find(({ table, again, shared }) => table === "nat" && !again && shared === undefined);
  assert.ok(rule);
  const hitting = (...positions: readonly number[]): Predicted => ({
    ...course,
    rules: positions.map((position) => ({ ...rule, position })),
  });
  const { netns, family, table, chain } = rule;
  const hits = [7, 8, 9].map((position): RuleHit => ({ netns, family, table, chain, position, packets: 1, text: "" }));
  const first = [hitting(8), hitting(7)];
  const second = [hitting(7), hitting(8, 9)];
  assert.deepEqual(compareRules([first, second], hits), []);
});
