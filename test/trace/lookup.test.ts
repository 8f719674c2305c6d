/** Lookups that fail on the way, who is asked next, several addresses, and the questions of dig and nslookup. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, type PathJson, replace, traced } from "../scenarios/rows.ts";

const DNS = "fixtures/dns";
const kubeSystem = (edit: ReturnType<typeof replace>): string => changed({ "kube-system.yaml": edit });
const deadReplica = changed({
  "topology.yaml": replace("\n  pods:\n", "\n  pods:\n    - {name: kube-system/coredns-7f9c544f75-n4z6r, dead: true}\n"),
});
const silentReplica = changed({
  "topology.yaml": replace("    - name: k8s-node1\n", "    - name: k8s-node1\n      iptables: own.rules\n"),
  "own.rules": "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -d 10.244.0.9/32 -p udp -m udp --dport 53 -j DROP\nCOMMIT\n",
});
const noProxy = changed({ "topology.yaml": replace("    mode: iptables\n", "    mode: none\n") });

type Row = {
  readonly id: string;
  readonly command: string;
  readonly in?: string;
  /** Each path: share, how the lookup ended, and the legs that led there. */
  readonly paths: readonly string[];
};
const rows: readonly Row[] = [
  {
    id: "both replicas answer: one path, two arms",
    command: "exec pod/nginx -- ping tomcat6",
    paths: ["1 exits left-topology: dns 10.96.0.10 (2 arms), transport 10.96.246.235"],
  },
  {
    id: "no replica: refused at once, and again",
    command: "exec pod/nginx -- ping tomcat6",
    in: kubeSystem(replace("  replicas: 2", "  replicas: 0")),
    paths: ["1 unresolved dns-unreachable: dns 10.96.0.10 no answer"],
  },
  {
    id: "a dead replica: after the ICMP error a new socket, which may reach the other one",
    command: "exec pod/nginx -- nslookup tomcat6",
    in: deadReplica,
    paths: [
      "1/2 delivered: dns 10.96.0.10",
      "1/4 delivered: dns 10.96.0.10 no answer, dns 10.96.0.10",
      "1/4 unresolved dns-unreachable: dns 10.96.0.10 no answer, dns 10.96.0.10 no answer",
    ],
  },
  {
    id: "a replica cut off: silence, and the same socket leads to it again",
    command: "exec pod/nginx -- nslookup tomcat6",
    in: silentReplica,
    paths: ["1/2 delivered: dns 10.96.0.10", "1/2 unresolved dns-unreachable: dns 10.96.0.10 no answer"],
  },
  {
    id: "without kube-proxy the cluster's DNS address leaves by the default route: nobody answers there",
    command: "exec pod/nginx -- nslookup tomcat6",
    in: noProxy,
    paths: ["1 unresolved dns-unreachable: dns 10.96.0.10 no answer"],
  },
  {
    id: "a name server that refuses: the next one",
    command: "exec -n shop pod/two-servers -- nslookup db.example.com",
    in: DNS,
    paths: ["1 delivered: dns 192.0.2.12 no answer, dns 192.0.2.53"],
  },
  {
    id: "dig asks for the name as it stands",
    command: "exec pod/nginx -- dig tomcat6",
    paths: ["1 unresolved name-not-found: dns 10.96.0.10 (2 arms)"],
  },
  { id: "dig +search takes the list", command: "exec pod/nginx -- dig +search tomcat6", paths: ["1 delivered: dns 10.96.0.10 (2 arms)"] },
  {
    id: "a server by its name",
    command: "exec -n shop pod/cluster-first -- dig @kube-dns.kube-system web.default.svc.corp.test",
    in: DNS,
    paths: ["1 delivered: dns 10.96.0.10 (2 arms), dns 10.96.0.10 (2 arms)"],
  },
  {
    id: "a server that is none",
    command: "exec -n shop pod/cluster-first -- dig @192.0.2.12 web.default.svc.corp.test",
    in: DNS,
    paths: ["1 unresolved dns-unreachable: dns 192.0.2.12 no answer"],
  },
  {
    id: "over TCP",
    command: "exec -n shop pod/cluster-first -- dig +tcp web.default.svc.corp.test",
    in: DNS,
    paths: ["1 delivered: dns 10.96.0.10 (2 arms)"],
  },
  {
    id: "a dual-stack name: IPv6 first",
    command: "exec -n shop pod/cluster-first -- nc dual.default 80",
    in: DNS,
    paths: ["1 delivered: dns 10.96.0.10 (2 arms), transport fd00:10:96::21"],
  },
  {
    id: "-4",
    command: "exec -n shop pod/cluster-first -- nc -4 dual.default 80",
    in: DNS,
    paths: ["1 delivered: dns 10.96.0.10 (2 arms), transport 10.96.0.21"],
  },
  {
    id: "only AAAA",
    command: "exec -n shop pod/cluster-first -- nc six.example.com 80",
    in: DNS,
    paths: ["1 rejected no-route: dns 10.96.0.10 (2 arms), transport 2001:db8:1::9"],
  },
  {
    id: "-6 of a name without AAAA",
    command: "exec -n shop pod/cluster-first -- nc -6 web.default 80",
    in: DNS,
    paths: ["1 unresolved no-address: dns 10.96.0.10 (2 arms)"],
  },
  {
    id: "a headless Service: any endpoint, evenly",
    command: "exec -n shop pod/cluster-first -- nc db.default 5432",
    in: DNS,
    paths: ["1/2 delivered: dns 10.96.0.10 (2 arms), transport 10.244.0.2", "1/2 delivered: dns 10.96.0.10 (2 arms), transport 10.244.1.2"],
  },
  {
    id: "a dead endpoint of a headless Service: the next address",
    command: "exec -n shop pod/cluster-first -- nc half.default 80",
    in: DNS,
    paths: [
      "1/2 delivered: dns 10.96.0.10 (2 arms), transport 10.244.1.3",
      "1/2 delivered: dns 10.96.0.10 (2 arms), transport 10.244.1.4, transport 10.244.1.3",
    ],
  },
  {
    id: "ping knows one address",
    command: "exec -n shop pod/cluster-first -- ping half.default",
    in: DNS,
    paths: [
      "1/2 delivered: dns 10.96.0.10 (2 arms), transport 10.244.1.3",
      "1/2 rejected host-unreachable: dns 10.96.0.10 (2 arms), transport 10.244.1.4",
    ],
  },
  {
    id: "a circle of external names",
    command: "exec -n shop pod/cluster-first -- nc ping.default 80",
    in: DNS,
    paths: ["1 unresolved name-loop: dns 10.96.0.10 (2 arms)"],
  },
  {
    id: "an external name that nobody in the model knows",
    command: "exec -n shop pod/cluster-first -- nc elsewhere.default 80",
    in: DNS,
    paths: ["1 unknown not-modelled: dns 10.96.0.10 (2 arms)"],
  },
  {
    id: "reverse",
    command: "exec -n shop pod/cluster-first -- nslookup 10.96.0.20",
    in: DNS,
    paths: ["1 delivered: dns 10.96.0.10 (2 arms)"],
  },
];
for (const row of rows)
  test(`${row.id}: ${row.command}`, async () => {
    const { trace } = await traced(row.command, row.in);
    assert.deepEqual(trace.paths.map(describe), row.paths);
    assert.ok(trace.paths.every(({ legs }) => legs.every(({ kind, query }) => kind !== "dns" || query !== undefined)));
  });

function describe({ share, verdict, reason, legs }: PathJson): string {
  const told = legs.map(({ kind, to, query, arms }) =>
    [kind, to.ip, ...(query?.answer === "no answer" ? [query.answer] : arms === undefined ? [] : [`(${arms.length} arms)`])].join(" "),
  );
  return `${share} ${verdict}${reason === null ? "" : ` ${reason}`}: ${told.join(", ")}`;
}

test("every name of the search list is told, in its order", async () => {
  const { trace } = await traced("exec pod/nginx -- nslookup tomcat7");
  assert.deepEqual(
    trace.paths[0]?.legs[0]?.name?.tried,
    ["tomcat7.default.svc.cluster.local", "tomcat7.svc.cluster.local", "tomcat7.cluster.local", "tomcat7"].map((name) => ({
      name,
      answer: "NXDOMAIN",
    })),
  );
});

const statuses: readonly (readonly [command: string, status: number, message: RegExp])[] = [
  ["dig tomcat7.default.svc.cluster.local", 0, /status: NXDOMAIN/],
  ["nslookup tomcat7", 1, /^\*\* server can't find tomcat7: NXDOMAIN$/m],
  ["nslookup -type=aaaa tomcat6", 0, /^\*\*\* Can't find tomcat6\.default\.svc\.cluster\.local: No answer$/m],
  ["dig +short tomcat6.default.svc.cluster.local", 0, /^10\.96\.246\.235$/],
];
for (const [command, status, message] of statuses)
  test(`${command} exits ${status}`, async () => {
    const outcome = await traced(`exec pod/nginx -- ${command}`);
    assert.equal(outcome.status, status);
    assert.match(outcome.trace.clientSees?.message ?? "", message);
  });
