/** Each dnsPolicy: the resolv.conf the pod has, whom it asks over which path, and what a name means to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { printed, traced } from "../scenarios/rows.ts";

const CLUSTER = ["search shop.svc.corp.test svc.corp.test corp.test lan.example", "nameserver 10.96.0.10", "options ndots:5"];
const NODE = ["search lan.example", "nameserver 192.0.2.53"];

type Row = {
  readonly pod: string;
  readonly file: readonly string[];
  /** Whom a lookup reaches, and with which source address. */
  readonly asks: readonly string[];
  readonly names: readonly (readonly [host: string, answer: string])[];
};
const rows: readonly Row[] = [
  {
    pod: "cluster-first",
    file: CLUSTER,
    asks: ["1/2 pod coredns-a sees 10.244.0.6", "1/2 pod coredns-b sees 10.244.0.6"],
    names: [
      ["web.default", "web.default.svc.corp.test 10.96.0.20"],
      ["web-alias", "web-alias.shop.svc.corp.test 10.96.0.20"],
      ["web", "not known"],
      ["printer", "printer.lan.example 192.0.2.77"],
      ["db.example.com", "db.example.com 203.0.113.9"],
    ],
  },
  {
    pod: "host-network",
    file: NODE,
    asks: ["1 host ns sees 192.0.2.11"],
    names: [
      ["printer", "printer.lan.example 192.0.2.77"],
      ["web-alias", "not known"],
    ],
  },
  {
    pod: "host-network-cluster",
    file: CLUSTER,
    asks: ["1/2 pod coredns-a sees 10.244.0.1", "1/2 pod coredns-b sees 192.0.2.11"],
    names: [["web-alias", "web-alias.shop.svc.corp.test 10.96.0.20"]],
  },
  {
    pod: "default-policy",
    file: NODE,
    asks: ["1 host ns sees 192.0.2.11"],
    names: [["printer", "printer.lan.example 192.0.2.77"]],
  },
  {
    pod: "none",
    file: ["search example.com", "nameserver 192.0.2.53", "options ndots:2"],
    asks: ["1 host ns sees 192.0.2.11"],
    names: [
      ["db", "db.example.com 203.0.113.9"],
      ["db.example.com", "db.example.com 203.0.113.9"],
    ],
  },
  {
    pod: "config",
    file: [
      "search shop.svc.corp.test svc.corp.test corp.test lan.example default.svc.corp.test",
      "nameserver 10.96.0.10",
      "options ndots:1",
    ],
    asks: ["1/2 pod coredns-a sees 10.244.0.7", "1/2 pod coredns-b sees 10.244.0.7"],
    names: [
      ["web", "web.default.svc.corp.test 10.96.0.20"],
      ["db.example.com", "db.example.com 203.0.113.9"],
    ],
  },
];

const DIRECTORY = "fixtures/dns";
for (const { pod, file, asks, names } of rows) {
  test(`${pod}: resolv.conf`, async () =>
    assert.deepEqual(await printed(`exec -n shop pod/${pod} -- cat /etc/resolv.conf`, DIRECTORY), file));
  test(`${pod}: whom it asks`, async () => {
    const { trace } = await traced(`exec -n shop pod/${pod} -- dig db.example.com`, DIRECTORY);
    const [leg] = trace.paths.flatMap((path) => path.legs);
    assert.ok(leg);
    const whole = [{ share: "1", destination: leg.destination }];
    assert.deepEqual(
      (leg.arms ?? whole).map(({ share, destination: to }) => `${share} ${to?.kind} ${to?.name} sees ${to?.clientIPSeen}`),
      asks,
    );
  });
  for (const [host, answer] of names)
    test(`${pod}: ${host} is ${answer}`, async () => {
      const { trace } = await traced(`exec -n shop pod/${pod} -- ping -c 1 ${host}`, DIRECTORY);
      const [path] = trace.paths;
      const query = path?.legs.find((leg) => leg.kind === "dns")?.query;
      assert.equal(path?.verdict === "unknown" ? "not known" : `${query?.name} ${query?.answer}`, answer);
    });
}

test("hosts file first: no query", async () => {
  const { trace } = await traced("exec -n shop pod/aliased -- ping web.example.org", DIRECTORY);
  assert.deepEqual(
    trace.paths.flatMap((path) => path.legs.map(({ kind, to }) => `${kind} ${to.ip}`)),
    ["transport 192.0.2.80"],
  );
});
