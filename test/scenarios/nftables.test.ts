/** nftables mode on the reference cluster (rows S27, S36, S37, S79): where it differs from iptables mode, and that the rest does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { both, type Claim, delivered, mode, rejected, topologyOf } from "./modes.ts";
import { changed, replace, runRows, seenFrom } from "./rows.ts";

const NFTABLES = "    mode: nftables\n";
const ALL_ADDRESSES = '    mode: nftables\n    nodePortAddresses: ["0.0.0.0/0"]\n';
const TTL = { local: 63, remote: 62 } as const;
/** A client on the nodes' first network, as S37 asks for. */
const NEIGHBOUR = replace(
  "so that pods have something outside to talk to\n",
  "so that pods have something outside to talk to\n    - name: neighbour\n      interfaces: [{name: eth0, addresses: [10.0.2.99/24]}]\n",
);

for (const release of ["1.30.3", "1.34.0", "1.36.0"]) {
  const nft = changed({ "topology.yaml": both(topologyOf(mode(NFTABLES, release)), NEIGHBOUR) });
  const everywhere = changed({ "topology.yaml": topologyOf(mode(ALL_ADDRESSES, release)) });
  const claims: readonly Claim[] = [
    {
      id: "S37 the second address",
      why: "node ports answer at the node's primary address only",
      command: "curl node2:31160",
      in: nft,
      expect: rejected("not-listening"),
    },
    {
      id: "S37 the primary address",
      why: "@nodeport-ips holds it",
      command: "trace --from host/neighbour --to 10.0.2.5:31160",
      in: nft,
      expect: delivered(seenFrom(2, TTL)),
    },
    {
      id: "S37 all addresses, by nodePortAddresses",
      why: "fib daddr type local, but loopback",
      command: "curl node2:31160",
      in: everywhere,
      expect: delivered(seenFrom(2, TTL)),
    },
    {
      id: "S36 loopback",
      why: "never, route_localnet is iptables mode's",
      command: "exec node/k8s-node2 -- curl http://127.0.0.1:31160/",
      in: everywhere,
      expect: rejected("not-listening", 7),
    },
    {
      id: "S27 ping",
      why: "cluster-ips-check rejects in FORWARD",
      command: "exec pod/nginx -- ping 10.96.246.235",
      in: nft,
      expect: rejected("service-port-unknown"),
    },
    {
      id: "S27 port 81",
      why: "cluster-ips-check rejects",
      command: "exec pod/nginx -- curl http://10.96.246.235:81/",
      in: nft,
      expect: rejected("service-port-unknown", 7),
    },
    {
      id: "S79 node to cluster IP",
      why: "masqueraded as in iptables mode",
      command: "exec node/k8s-node2 -- curl http://10.96.246.235/",
      in: nft,
      expect: delivered(seenFrom(2, { local: 64, remote: 63 })),
    },
    {
      id: "S79 a pod to itself",
      why: "hairpin is masqueraded, by mark or by @hairpin-connections",
      command: "exec pod/tomcat6-5f7ccf4cb9-8jxz7 -- curl http://10.96.246.235/",
      in: nft,
      expect: delivered([
        "1/3 10.244.1.11:8080 sees 10.244.1.1 ttl 64",
        "1/3 10.244.2.10:8080 sees 10.244.1.11 ttl 62",
        "1/3 10.244.2.11:8080 sees 10.244.1.11 ttl 62",
      ]),
    },
  ];
  runRows(claims.map((row) => ({ ...row, id: `${release}, ${row.id}` })));

  test(`${release}, S37: the refusal says which setting decided, and what mends it`, async () => {
    const { stdout } = await ktrace(["curl", "node2:31160"], { cwd: nft });
    const text = stdout.replace(/\s+/g, " ");
    assert.match(text, /kube-proxy on k8s-node2 takes node ports at 10\.0\.2\.5 only, the default of nftables mode/);
    assert.match(text, /nodePortAddresses: \[10\.0\.2\.5\/32, 192\.168\.56\.0\/24\] of kube-proxy delivered, the pods see 10\.244\.1\.1/);
  });
}
