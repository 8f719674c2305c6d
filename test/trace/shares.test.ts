/** Shares are exact, and a path of a trace is the walk of a network whose dice fell that way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openCluster } from "../../src/ktrace.ts";
import { type Choose, createRun, explore } from "../../src/linux/run.ts";
import { addFractions, equalFractions, type Fraction, formatFraction, fraction, ONE, sumFractions, ZERO } from "../../src/net/fraction.ts";
import { walkConnection } from "../../src/trace/connection.ts";
import type { Question } from "../../src/trace/question.ts";
import { CPORT } from "./datapath.ts";

const session = openCluster({ files: [], cwd: "fixtures/tomcat6" });

const curl = (from: string | undefined, host: string, port: number, hostHeader?: string): Question => ({
  command: `curl ${host}:${port}`,
  program: "curl",
  from,
  namespace: "default",
  to: { host, port, protocol: "tcp" },
  http: {
    scheme: "http",
    path: "/",
    method: "GET",
    insecure: false,
    head: false,
    follow: false,
    fail: false,
    resolve: [],
    connectTo: [],
    ...(hostHeader === undefined ? {} : { hostHeader }),
  },
  evidence: false,
});

const questions: readonly (readonly [string | undefined, string, number, string?])[] = [
  [undefined, "node1", 31160],
  [undefined, "node2", 31160],
  [undefined, "www.test.com", 80],
  [undefined, "10.96.246.235", 80],
  ["pod/nginx", "tomcat6", 80],
  ["pod/nginx", "10.0.2.15", 31160],
  ["pod/nginx", "10.96.38.18", 80, "www.test.com"],
  ["node/k8s-node1", "10.96.246.235", 80],
];

for (const [from, host, port, hostHeader] of questions) {
  test(`shares of ${from ?? "client"} to ${host}:${port} sum to exactly 1`, () => {
    const trace = session.trace(curl(from, host, port, hostHeader));
    const sum = sumFractions(trace.paths.map(({ share }) => share));
    assert.ok(equalFractions(sum, ONE), formatFraction(sum));
    for (const { legs } of trace.paths) {
      for (const { arms } of legs) if (arms) assert.equal(formatFraction(sumFractions(arms.map(({ share }) => share))), "1");
    }
  });
}

/** A die that says no to the first `skipped` rules that ask it, and yes to the next: it forces the endpoint of that number. */
function always(skipped: number): Choose {
  let asked = 0;
  return () => (asked++ === skipped ? 0 : 1);
}

const forced: readonly { readonly from: string; readonly source: string | undefined; readonly dst: string; readonly port: number }[] = [
  { from: "host/client", source: undefined, dst: "192.168.56.100", port: 31160 },
  { from: "host/client", source: undefined, dst: "192.168.56.101", port: 31160 },
  { from: "pod/default/nginx", source: "pod/nginx", dst: "10.96.246.235", port: 80 },
  { from: "pod/default/tomcat6-5f7ccf4cb9-8jxz7", source: "pod/tomcat6-5f7ccf4cb9-8jxz7", dst: "10.96.246.235", port: 80 },
  { from: "node/k8s-node2", source: "node/k8s-node2", dst: "127.0.0.1", port: 31160 },
];

for (const { from, source, dst, port } of forced) {
  test(`each path from ${from} to ${dst}:${port} is the walk forced onto its endpoint`, () => {
    const { paths } = session.trace(curl(source, dst, port));
    assert.equal(paths.length, 3);
    paths.forEach((path, index) => {
      const run = createRun(session.world, always(index));
      const walked = walkConnection(run, { from, protocol: "tcp", dst, dport: port, sport: CPORT });
      assert.equal(walked.arrived?.dst, ["10.244.1.11", "10.244.2.10", "10.244.2.11"][index]);
      assert.equal(path.destination?.ip, walked.arrived?.dst);
      assert.ok(equalFractions(path.share, fraction(1, 3)));
      assert.deepEqual(path.legs[0]?.hops, walked.hops);
      assert.deepEqual(path.legs[0]?.reply, walked.reply);
    });
  });
}

/** Outcomes with their shares summed: what must not depend on which alternatives were walked together. */
function outcomes(all: readonly { readonly share: Fraction; readonly what: string }[]): Record<string, string> {
  const sums = new Map<string, Fraction>();
  for (const { share, what } of all) sums.set(what, addFractions(sums.get(what) ?? ZERO, share));
  return Object.fromEntries(
    [...sums].map(([what, share]): [string, string] => [what, formatFraction(share)]).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const grouped = (question: Question): Record<string, string> =>
  outcomes(
    session.trace(question).paths.map(({ share, verdict, destination }) => ({
      share,
      what: `${verdict} ${destination?.ip} sees ${destination?.clientIPSeen} ttl ${destination?.ttl}`,
    })),
  );

/** Every connection of a request in one run, nothing walked together: `next` says where a proxy or the client goes on. */
function ungrouped(
  connections: readonly {
    readonly from: string | undefined;
    readonly dst: string;
    readonly port: number;
    readonly protocol: "tcp" | "udp";
  }[],
): Record<string, string> {
  const branches = explore((choose) => {
    const run = createRun(session.world, choose);
    let last: ReturnType<typeof walkConnection> | undefined;
    for (const [index, { from, dst, port, protocol }] of connections.entries()) {
      const netns: string = from ?? last?.end.netns ?? "";
      last = walkConnection(run, { from: netns, protocol, dst, dport: port, sport: CPORT + index });
    }
    return `${last?.verdict} ${last?.arrived?.dst} sees ${last?.arrived?.src} ttl ${last?.arrived?.ttl}`;
  });
  return outcomes(branches.map(({ share, value }) => ({ share, what: value })));
}

test("a name asked of two CoreDNS pods: together as apart", () => {
  const apart = ungrouped([
    { from: "pod/default/nginx", dst: "10.96.0.10", port: 53, protocol: "udp" },
    { from: "pod/default/nginx", dst: "10.96.246.235", port: 80, protocol: "tcp" },
  ]);
  assert.deepEqual(grouped(curl("pod/nginx", "tomcat6", 80)), apart);
});

test("two ingress controllers behind a cluster address: together as apart", () => {
  const apart = ungrouped([
    { from: "pod/default/nginx", dst: "10.96.38.18", port: 80, protocol: "tcp" },
    { from: undefined, dst: "10.96.246.235", port: 80, protocol: "tcp" },
  ]);
  assert.deepEqual(grouped(curl("pod/nginx", "10.96.38.18", 80, "www.test.com")), apart);
});
