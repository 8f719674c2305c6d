/** What was captured on a real kernel (node 2 of the reference cluster, built by `ktrace lab up`), as it is and edited. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { verificationJson, verificationText } from "../../src/cli/verify/print.ts";
import { decideCluster } from "../../src/cluster/decide.ts";
import { sessionOf } from "../../src/ktrace.ts";
import { readInput } from "../../src/manifests/input.ts";
import type { Question } from "../../src/trace/question.ts";
import { readCaptures } from "../../src/verify/capture.ts";
import type { Difference } from "../../src/verify/difference.ts";
import { type Verification, verifyNode } from "../../src/verify/verify.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/tomcat6", import.meta.url));
const captured = (name: string): string => readFileSync(new URL(`./captures/${name}.txt`, import.meta.url), "utf8");
const schema: object = JSON.parse(readFileSync(new URL("../../schema/verification.schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ allErrors: true }).compile(schema);

/** The reference cluster, and a machine that uses node 2 as its way to the nodes' own network. */
function openSession(mode: "iptables" | "nftables" = "iptables") {
  const input = readInput({ files: [FIXTURE], topology: `${FIXTURE}/topology.yaml`, cwd: FIXTURE });
  const routed = {
    name: "routed",
    interfaces: [{ name: "eth0", addresses: ["192.168.56.2/24"] }],
    routes: [{ to: "10.0.2.0/24", via: "192.168.56.101" }],
  };
  const topology = {
    ...input.topology,
    kubeProxy: { ...input.topology.kubeProxy, mode },
    hosts: [...(input.topology.hosts ?? []), routed],
  };
  return sessionOf({ ...input, topology }, decideCluster(input.objects, topology));
}
const SESSIONS = { iptables: openSession(), nftables: openSession("nftables") };

/** `node2:31160 from pod/nginx`, `node2:31999/udp`. */
function questionOf(text: string | undefined): Question | undefined {
  const parsed = /^([^:\s]+):(\d+)(?:\/(\w+))?(?: from (\S+))?$/.exec(text ?? "");
  if (!parsed) return undefined;
  const [, host = "", port, protocol, from] = parsed;
  return {
    command: `trace --to ${host}:${port}`,
    program: "trace",
    from,
    namespace: "default",
    to: { host, port: Number(port), protocol: protocol === "udp" ? "udp" : "tcp" },
    evidence: false,
  };
}

function verify(text: string, to?: string, mode: keyof typeof SESSIONS = "iptables"): Verification {
  const session = SESSIONS[mode];
  const netns = session.world.netns("node/k8s-node2");
  assert.ok(netns);
  const question = questionOf(to);
  const read = readCaptures(text, "node2");
  const net = { world: session.world, apps: session.apps, startRun: () => assert.fail() };
  const done = verifyNode(net, netns, [read], question);
  const document: unknown = JSON.parse(verificationJson(done, session.context, question, read.unread));
  assert.ok(validate(document), JSON.stringify(validate.errors));
  assert.match(
    verificationText(done, session.context, question, read.unread, false),
    done.equal ? /^EQUAL/m : /^DIFFERENT: \d+ difference/m,
  );
  return done;
}

const CAPTURES = [
  "iptables-save",
  "ip6tables-save",
  "ip-route",
  "ip-addr",
  "ip-neigh",
  "bridge-fdb",
  "conntrack",
  "xtables-monitor",
  "nft-monitor",
];
const WAYS = [
  "node2:31160",
  "node2:31160 from pod/nginx",
  "tomcat6:80 from pod/nginx",
  "10.96.246.235:80 from node/k8s-node2",
  "10.244.2.10:8080 from pod/nginx",
  "node2:31999/udp",
  "node2:31161",
];

for (const name of CAPTURES) {
  test(`${name} of the real kernel is equal to the prediction`, () => {
    const done = verify(captured(name));
    assert.deepEqual([done.differences, done.equal, done.isEmpty], [[], true, false]);
  });
}

test("all of them in one paste are told apart, and equal, for every way too", () => {
  const all = CAPTURES.map(captured).join("\n");
  assert.deepEqual(readCaptures(all, "node2").unread, []);
  assert.equal(verify(all).captures.length, CAPTURES.length);
  for (const way of WAYS) assert.deepEqual([way, verify(all, way).differences], [way, []]);
});

for (const name of ["nft-mode", "nft-mode-monitor"]) {
  test(`${name} of the real kernel in mode nftables is equal to the prediction`, () => {
    for (const to of [undefined, "tomcat6:80 from pod/nginx", "10.0.2.5:31160 from pod/nginx"])
      assert.deepEqual(verify(captured(name), to, "nftables").differences, []);
    assert.equal(verify(captured(name), undefined, "nftables").isEmpty, false);
  });
}

test("iptables' own tables as nft prints them cannot be compared, and that is said", () => {
  const done = verify(captured("nft-ruleset"));
  assert.equal(done.isEmpty, true);
  assert.match(done.notes.join(), /give `iptables-save`/);
});

const SEP = { "10.244.1.11": "KUBE-SEP-Q6SMEY66ISTMDIKU", "10.244.2.10": "KUBE-SEP-DCOFR52QIAIPCXLS" } as const;
const SVC = "KUBE-SVC-74O5I7DKKBRLVTFF";
const EXT = "KUBE-EXT-74O5I7DKKBRLVTFF";

/** Lines that hold the text are left out; the edit must find some. */
const without =
  (...texts: readonly string[]) =>
  (save: string): string => {
    const lines = save.split("\n");
    const kept = lines.filter((line) => !texts.some((text) => line.includes(text)));
    assert.ok(kept.length < lines.length, `no line has ${texts.join()}`);
    return kept.join("\n");
  };
const replace =
  (from: string, to: string) =>
  (save: string): string => {
    assert.ok(save.includes(from), `no ${from}`);
    return save.replaceAll(from, to);
  };
const insertAfter = (line: string, ...added: readonly string[]) => replace(`${line}\n`, `${[line, ...added].join("\n")}\n`);
const both =
  (...edits: readonly ((save: string) => string)[]) =>
  (save: string): string =>
    edits.reduce((text, edit) => edit(text), save);

/** What `docker run` of a host with docker adds, and its policy. */
const docker = both(
  replace(":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [5:593]", ":FORWARD DROP [0:0]\n:OUTPUT ACCEPT [5:593]"),
  insertAfter(":FLANNEL-FWD - [0:0]", ":DOCKER - [0:0]", ":DOCKER-USER - [0:0]"),
  insertAfter(
    '-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL',
    "-A FORWARD -j DOCKER-USER",
    "-A FORWARD -o docker0 -j DOCKER",
    "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "-A DOCKER-USER -j RETURN",
  ),
);

type Row = {
  readonly mode?: "nftables";
  readonly name: string;
  readonly of: string;
  readonly edit: (save: string) => string;
  readonly to?: string;
  /** Exactly the first difference, but for what is left out. */
  readonly first?: {
    readonly area: Difference["area"];
    readonly kind: Difference["kind"];
    readonly where: string;
    readonly predicted?: string;
    readonly found?: string;
    readonly likely: RegExp;
  };
  readonly count?: number;
  readonly captured?: string;
  readonly elsewhere?: number;
  readonly foreign?: readonly string[];
};

const ROWS: readonly Row[] = [
  {
    name: "the Service's NodePort rule is missing",
    of: "iptables-save",
    edit: without(`--dport 31160 -j ${EXT}`),
    to: "node2:31160",
    first: {
      area: "rule",
      kind: "missing",
      where: "nat KUBE-NODEPORTS",
      predicted: `-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6" -m tcp --dport 31160 -j ${EXT}`,
      likely: /this Service's rule is missing: kube-proxy has not seen it; is kube-proxy running/,
    },
    captured: "rejected",
  },
  {
    name: "the same capture is equal for a packet that does not need the rule",
    of: "iptables-save",
    edit: without(`--dport 31160 -j ${EXT}`),
    to: "tomcat6:80 from pod/nginx",
    count: 0,
    captured: "delivered",
    elsewhere: 1,
  },
  {
    name: "masquerading was lost",
    of: "iptables-save",
    edit: without("-j MASQUERADE --random-fully"),
    to: "node2:31160",
    first: { area: "rule", kind: "missing", where: "nat KUBE-POSTROUTING", likely: /is kube-proxy running on this node/ },
  },
  {
    name: "an endpoint is missing, with its chain",
    of: "iptables-save",
    edit: both(
      without(SEP["10.244.1.11"]),
      replace(
        "-m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-DCOFR52QIAIPCXLS",
        "-m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-DCOFR52QIAIPCXLS",
      ),
    ),
    to: "node2:31160",
    first: { area: "rule", kind: "missing", where: `nat ${SVC}`, likely: /this endpoint is missing: is the pod ready/ },
    captured: "delivered",
  },
  {
    name: "an endpoint's address is wrong",
    of: "iptables-save",
    edit: replace("-j DNAT --to-destination 10.244.1.11:8080", "-j DNAT --to-destination 10.244.1.99:8080"),
    to: "node2:31160",
    first: {
      area: "rule",
      kind: "changed",
      where: `nat ${SEP["10.244.1.11"]}`,
      predicted: `-A ${SEP["10.244.1.11"]} -p tcp -m comment --comment "default/tomcat6" -m tcp -j DNAT --to-destination 10.244.1.11:8080`,
      found: `-A ${SEP["10.244.1.11"]} -p tcp -m comment --comment "default/tomcat6" -m tcp -j DNAT --to-destination 10.244.1.99:8080`,
      likely: /the endpoint has another address/,
    },
    captured: "mixed",
  },
  {
    name: "a stale endpoint is still there",
    of: "iptables-save",
    edit: both(
      insertAfter(`:${SVC} - [0:0]`, ":KUBE-SEP-STALE - [0:0]"),
      (save) =>
        save.replace(
          `-A ${SVC} -m comment`,
          `-A ${SVC} -m comment --comment "default/tomcat6 -> 10.244.1.77:8080" -m statistic --mode random --probability 0.25000000000 -j KUBE-SEP-STALE\n-A ${SVC} -m comment`,
        ),
      (save) =>
        save.replace(
          /COMMIT\n(?![\s\S]*COMMIT)/,
          '-A KUBE-SEP-STALE -p tcp -m comment --comment "default/tomcat6" -m tcp -j DNAT --to-destination 10.244.1.77:8080\nCOMMIT\n',
        ),
    ),
    to: "node2:31160",
    first: {
      area: "rule",
      kind: "unexpected",
      where: `nat ${SVC}`,
      found: `-A ${SVC} -m comment --comment "default/tomcat6 -> 10.244.1.77:8080" -m statistic --mode random --probability 0.25000000000 -j KUBE-SEP-STALE`,
      likely: /a stale endpoint/,
    },
    captured: "mixed",
  },
  {
    name: "docker's FORWARD policy DROP stops what no rule accepts, and its chains are part of the node",
    of: "iptables-save",
    edit: docker,
    to: "10.0.2.15:31999/udp from host/routed",
    first: {
      area: "policy",
      kind: "changed",
      where: "filter FORWARD",
      predicted: "ACCEPT",
      found: "DROP",
      likely: /dockerd sets FORWARD to DROP/,
    },
    captured: "dropped",
    foreign: ["filter FORWARD", "filter DOCKER", "filter DOCKER-USER"],
  },
  {
    name: "docker's policy, and flanneld's rules that would accept are missing: those are named",
    of: "iptables-save",
    edit: both(docker, without("-j FLANNEL-FWD", "-A FLANNEL-FWD", ":FLANNEL-FWD")),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "rule",
      kind: "missing",
      where: "filter FORWARD",
      predicted: '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD',
      likely: /is flanneld running on this node/,
    },
    captured: "dropped",
  },
  {
    name: "docker's policy is harmless where flannel's rules accept",
    of: "iptables-save",
    edit: docker,
    to: "10.244.2.10:8080 from pod/nginx",
    count: 0,
    captured: "delivered",
    elsewhere: 1,
    foreign: ["filter FORWARD", "filter DOCKER", "filter DOCKER-USER"],
  },
  {
    name: "a foreign rule that drops the packet is named with its owner",
    of: "iptables-save",
    edit: both(docker, replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -d 10.244.2.0/24 -j DROP\n-A DOCKER-USER -j RETURN")),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "rule",
      kind: "unexpected",
      where: "filter DOCKER-USER",
      found: "-A DOCKER-USER -d 10.244.2.0/24 -j DROP",
      likely: /^Docker put this rule there/,
    },
    captured: "dropped",
  },
  {
    name: "a foreign match outside the grammar is named, and what it decides is unknown",
    of: "iptables-save",
    edit: both(docker, replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -m u32 --u32 0x0=0x0 -j DROP\n-A DOCKER-USER -j RETURN")),
    to: "10.244.2.10:8080 from pod/nginx",
    first: { area: "packet", kind: "changed", where: "node/k8s-node2", likely: /differences of the captures/ },
    captured: "unknown",
  },
  {
    name: "no rule of kube-proxy's at all",
    of: "iptables-save",
    edit: (save) =>
      save
        .split("\n")
        .filter((line) => !/KUBE-(?!KUBELET|FIREWALL)/.test(line))
        .join("\n"),
    to: "node2:31160",
    first: {
      area: "rule",
      kind: "missing",
      where: "nat PREROUTING",
      likely: /is kube-proxy running on this node.*or something flushed the chain/,
    },
    captured: "rejected",
  },
  {
    name: "nftables: the Service is no member of the map",
    mode: "nftables",
    of: "nft-mode",
    edit: without("10.96.246.235 . tcp . 80 : goto"),
    to: "tomcat6:80 from pod/nginx",
    first: {
      area: "rule",
      kind: "missing",
      where: "nft list ruleset: ip kube-proxy map service-ips",
      predicted: "10.96.246.235 . tcp . 80 : goto service-5U6XIGTX-default/tomcat6/tcp/",
      likely: /this member is missing: is kube-proxy running on this node, in mode nftables/,
    },
    captured: "rejected",
  },
  {
    name: "nftables: an endpoint was replaced",
    mode: "nftables",
    of: "nft-mode",
    edit: replace("10.244.1.11 . 8080", "10.244.1.99 . 8080"),
    to: "tomcat6:80 from pod/nginx",
    first: {
      area: "rule",
      kind: "changed",
      where: "nft list ruleset: ip kube-proxy service-5U6XIGTX-default/tomcat6/tcp/",
      likely: /endpoints came or went/,
    },
    captured: "mixed",
  },
  {
    name: "nftables: no table of kube-proxy's",
    mode: "nftables",
    of: "nft-mode",
    edit: (text) => text.slice(0, text.indexOf("table ip kube-proxy")),
    first: { area: "rule", kind: "missing", where: "nft list ruleset", predicted: "table ip kube-proxy", likely: /is kube-proxy running/ },
    count: 2,
  },
  {
    name: "nftables: a foreign table that drops the packet is named",
    mode: "nftables",
    of: "nft-mode",
    edit: (text) =>
      `${text}table inet firewalld {\n\tchain filter_FORWARD {\n\t\ttype filter hook forward priority filter + 10; policy accept;\n\t\tip daddr 10.244.2.10 drop\n\t}\n}\n`,
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "rule",
      kind: "unexpected",
      where: "table inet firewalld",
      found: "ip daddr 10.244.2.10 drop",
      likely: /^firewalld put this rule there/,
    },
    captured: "dropped",
    foreign: ["table inet firewalld"],
  },
  {
    name: "nftables: a traced packet that another Service takes",
    mode: "nftables",
    of: "nft-mode-monitor",
    edit: replace("(verdict goto service-5U6XIGTX-default/tomcat6/tcp/)", "(verdict goto service-OTHER)"),
    first: {
      area: "packet",
      kind: "changed",
      where: "nft monitor trace: packet b19e2c8e, rule 3: kube-proxy services",
      likely: /not the predicted ones/,
    },
    count: 1,
  },
  {
    name: "the route to another node's pods is missing",
    of: "ip-route",
    edit: without("10.244.2.0/24"),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "route",
      kind: "missing",
      where: "ip route",
      predicted: "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
      likely: /is flanneld running on this node/,
    },
    captured: "exits",
  },
  {
    name: "the same route leads elsewhere",
    of: "ip-route",
    edit: replace("10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink", "10.244.2.0/24 via 10.0.2.15 dev eth0"),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "route",
      kind: "changed",
      where: "ip route",
      predicted: "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
      found: "10.244.2.0/24 via 10.0.2.15 dev eth0",
      likely: /flanneld/,
    },
  },
  {
    name: "routes of devices that the topology does not have are foreign",
    of: "ip-route",
    edit: insertAfter("default via 10.0.2.2 dev eth0 ", "172.18.0.0/16 dev br-0123456789ab proto kernel scope link src 172.18.0.1"),
    count: 0,
    foreign: ["ip route over br-0123456789ab"],
  },
  {
    name: "the forwarding entry of the other node is missing",
    of: "bridge-fdb",
    edit: without("dst 10.0.2.15"),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "fdb",
      kind: "missing",
      where: "bridge fdb",
      predicted: "4a:b3:98:6b:68:1b dev flannel.1 dst 10.0.2.15 self permanent",
      likely: /is flanneld running here/,
    },
    captured: "dropped",
  },
  {
    name: "the forwarding entry leads to another machine",
    of: "bridge-fdb",
    edit: replace("dst 10.0.2.15", "dst 10.0.2.4"),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "fdb",
      kind: "changed",
      where: "bridge fdb",
      found: "4a:b3:98:6b:68:1b dev flannel.1 dst 10.0.2.4 self permanent",
      likely: /another MAC or address/,
    },
  },
  {
    name: "the neighbour entry of the tunnel is missing",
    of: "ip-neigh",
    edit: without("10.244.2.0 dev flannel.1"),
    to: "10.244.2.10:8080 from pod/nginx",
    first: {
      area: "neighbour",
      kind: "missing",
      where: "ip neigh",
      predicted: "10.244.2.0 dev flannel.1 lladdr 4a:b3:98:6b:68:1b PERMANENT",
      likely: /flanneld/,
    },
  },
  {
    name: "the bridge lost its address",
    of: "ip-addr",
    edit: without("inet 10.244.1.1/24"),
    first: { area: "address", kind: "missing", where: "ip addr: cni0", predicted: "10.244.1.1/24", likely: /bridge plugin/ },
    count: 1,
  },
  {
    name: "another MTU",
    of: "ip-addr",
    edit: replace("flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450", "flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500"),
    first: { area: "link", kind: "changed", where: "ip addr: flannel.1", predicted: "mtu 1450", found: "mtu 1500", likely: /flanneld/ },
    count: 1,
  },
  {
    name: "a connection that still goes to a pod which is no endpoint",
    of: "conntrack",
    edit: replace("src=10.244.2.10 dst=10.244.1.0 sport=8080", "src=10.244.2.99 dst=10.244.1.0 sport=8080"),
    first: {
      area: "connection",
      kind: "changed",
      where: "conntrack -L: tcp 192.168.56.1:52510 > 192.168.56.101:31160",
      found: "answers come from 10.244.2.99:8080 to 10.244.1.0",
      likely: /a stale endpoint/,
    },
    count: 1,
  },
  {
    name: "a connection that was not masqueraded",
    of: "conntrack",
    edit: replace("src=10.244.2.10 dst=10.244.1.0 sport=8080", "src=10.244.2.10 dst=192.168.56.1 sport=8080"),
    first: {
      area: "connection",
      kind: "changed",
      where: "conntrack -L: tcp 192.168.56.1:52510 > 192.168.56.101:31160",
      likely: /masquerading differs/,
    },
    count: 1,
  },
  {
    name: "a traced packet that jumps to a chain of another Service",
    of: "xtables-monitor",
    edit: (text) => text.replaceAll(EXT, "KUBE-EXT-OTHER"),
    first: {
      area: "packet",
      kind: "changed",
      where: "xtables-monitor --trace: packet 758ccf07, rule 3: nat KUBE-NODEPORTS",
      predicted: `-A KUBE-NODEPORTS -p tcp -m comment --comment "default/tomcat6" -m tcp --dport 31160 -j ${EXT}`,
      likely: /not the predicted ones/,
    },
    count: 1,
  },
  {
    name: "a traced packet that a foreign rule drops",
    of: "nft-monitor",
    edit: (text) =>
      text
        .split("\n")
        .flatMap((line) =>
          /filter FORWARD rule ct state new/.test(line)
            ? ["trace id 758ccf07 ip filter DOCKER-USER rule counter packets 0 bytes 0 drop (verdict drop)"]
            : [line],
        )
        .filter((line) => !/(FORWARD rule {2}counter|KUBE-FORWARD|POSTROUTING)/.test(line))
        .join("\n"),
    first: {
      area: "packet",
      kind: "changed",
      where: "nft monitor trace: packet 758ccf07, rule 9: filter DOCKER-USER",
      likely: /Docker decides here/,
    },
    count: 1,
  },
];

for (const { name, of, edit, to, first, count, mode, ...rest } of ROWS) {
  test(name, () => {
    const done = verify(edit(captured(of)), to, mode);
    const found = to === undefined ? done.differences[0] : done.first;
    if (first) {
      const { likely, ...exact } = first;
      assert.ok(found, "a difference");
      const told: Record<string, unknown> = { ...found };
      assert.deepEqual(Object.fromEntries(Object.keys(exact).map((key) => [key, told[key]])), exact);
      assert.match(found.likely, likely);
    } else assert.equal(found, undefined);
    assert.equal(done.equal, first === undefined);
    if (count !== undefined) assert.equal(done.differences.length, count);
    if (rest.captured !== undefined) assert.equal(done.walks?.captured.verdict, rest.captured);
    if (rest.elsewhere !== undefined) assert.equal(done.elsewhere, rest.elsewhere);
    if (rest.foreign !== undefined)
      assert.deepEqual(
        done.foreign.map(({ where }) => where),
        rest.foreign,
      );
  });
}

test("order between Services, comments, counters and dates carry no meaning", () => {
  const shuffled = captured("iptables-save")
    .split("\n")
    .map((line) =>
      line.replace(/--comment "default\/tomcat6"/, '--comment "default/tomcat6:"').replace(/^(:\S+ \S+) \[\d+:\d+\]/, "$1 [77:7777]"),
    )
    .join("\n")
    .replace(/on \w+ \w+ .*$/gm, "on Mon Jan  1 00:00:00 2024");
  const lines = shuffled.split("\n");
  const services = lines.filter((line) => line.startsWith("-A KUBE-SERVICES -d"));
  const rest = lines.flatMap((line) =>
    line === services[0] ? [...services].reverse() : line.startsWith("-A KUBE-SERVICES -d") ? [] : [line],
  );
  assert.ok(services.length > 3 && rest.join("\n") !== shuffled);
  assert.deepEqual(verify(rest.join("\n")).differences, []);
});
