/** ipvsadm's texts: the columns of ipvsadm 1.31 (its printf formats), and what is printed reads back the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { programIpvs } from "../../src/agents/kube-proxy/ipvs/program.ts";
import { parseIpvsadm, printIpvsadm, printIpvsadmSave } from "../../src/dialects/ipvsadm.ts";
import type { VirtualServer, VirtualServers } from "../../src/linux/virtual-server.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

/** As nodes of clusters print it; the trailing blanks are real. */
const TEXT = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
SCTP 10.96.30.2:3868 mh (mh-port)
  -> 10.244.1.31:3868             Masq    1      0          0         
TCP  10.96.0.1:443 rr persistent 10800
  -> 10.0.2.4:6443                Masq    1      0          0         
TCP  10.96.246.235:80 rr
TCP  [fd00:10:96::1]:443 wlc
  -> [fd00::4]:6443               Masq    10     0          0         
`;

const listed = (servers: readonly VirtualServer[]): VirtualServers => ({ all: () => servers, lookup: () => undefined });
const plain = (servers: readonly VirtualServer[]) =>
  servers.map(({ protocol, ip, port, scheduler, schedulerFlags, persistentSeconds, servers: reals }) => ({
    protocol,
    ip,
    port,
    scheduler,
    schedulerFlags,
    persistentSeconds,
    reals: reals(),
  }));

test("reads and prints ipvsadm -Ln", () => {
  const { servers, problems } = parseIpvsadm(TEXT);
  assert.deepEqual(problems, []);
  assert.equal(servers.length, 4);
  assert.deepEqual(servers[1]?.servers(), [{ ip: "10.0.2.4", port: 6443, weight: 1 }]);
  assert.equal(printIpvsadm(listed(servers)), TEXT);
});

test("prints ipvsadm -Sn", () => {
  assert.equal(
    printIpvsadmSave(listed(parseIpvsadm(TEXT).servers)),
    `-A --sctp-service 10.96.30.2:3868 -s mh -b mh-port
-a --sctp-service 10.96.30.2:3868 -r 10.244.1.31:3868 -m -w 1
-A -t 10.96.0.1:443 -s rr -p 10800
-a -t 10.96.0.1:443 -r 10.0.2.4:6443 -m -w 1
-A -t 10.96.246.235:80 -s rr
-A -t [fd00:10:96::1]:443 -s wlc
-a -t [fd00:10:96::1]:443 -r [fd00::4]:6443 -m -w 10
`,
  );
});

test("what is printed reads back the same, for every node of the oracle", () => {
  for (const { name, nodes } of oracleCases) {
    for (const node of nodes) {
      const cluster = oracleCluster(name, "ipvs");
      const { ipvs } = programIpvs(cluster, nodeNamed(cluster, node), createCauseTable());
      const text = printIpvsadm(ipvs);
      const { servers, problems } = parseIpvsadm(text);
      assert.deepEqual(problems, []);
      assert.equal(printIpvsadm(listed(servers)), text);
      const key = (one: { readonly ip: string; readonly port: number; readonly protocol: string }) =>
        `${one.protocol} ${one.ip} ${one.port}`;
      const sorted = (all: readonly VirtualServer[]) => plain(all).sort((a, b) => (key(a) < key(b) ? -1 : 1));
      assert.deepEqual(sorted(servers), sorted(ipvs.all()));
    }
  }
});

test("what is not understood is said with its line", () => {
  const text = "TCP  10.0.0.1:80 rr\n  -> 10.0.0.2:80 Route 1 0 0\nFWM  7 rr\n  -> 10.0.0.3:80 Masq 1 0 0\n";
  const { servers, problems } = parseIpvsadm(text);
  assert.deepEqual(problems, [
    { line: 2, message: 'forwarding by "Route" is not modelled' },
    { line: 3, message: 'not a virtual server: "FWM  7 rr"' },
  ]);
  assert.deepEqual(
    servers.map((server) => server.servers()),
    [[]],
  );
});

test("any text is read without a crash", () => {
  const word = fc.constantFrom(
    "TCP",
    "UDP",
    "10.0.0.1:80",
    "[::1]:80",
    "->",
    "rr",
    "persistent",
    "(x",
    "\n",
    "\n  -> ",
    "Masq",
    "1",
    "__proto__",
    "\u001b[31m",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const { servers } = parseIpvsadm(words.join(" "));
      assert.equal(/\u001b/.test(printIpvsadm(listed(servers))), false);
    }),
    { seed: 1 },
  );
});
