/** `ktrace verify` as typed: formats, exit statuses, and what is said when nothing can be compared. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { ktrace } from "../cli/io.ts";

const cwd = fileURLToPath(new URL("../../fixtures/tomcat6", import.meta.url));
const path = (name: string): string => fileURLToPath(new URL(`./captures/${name}.txt`, import.meta.url));
const save = readFileSync(path("iptables-save"), "utf8");
const broken = save.replace(/^.*--dport 31160 -j KUBE-EXT.*\n/m, "");

const ROWS: readonly {
  readonly name: string;
  readonly words: readonly string[];
  readonly stdin?: string;
  readonly status: number;
  readonly says: RegExp;
}[] = [
  { name: "equal", words: ["--node", "node2", path("iptables-save"), path("ip-route")], status: 0, says: /\nEQUAL\n$/ },
  {
    name: "by the node's own name, from stdin",
    words: ["--node", "node/k8s-node2", "-"],
    stdin: save,
    status: 0,
    says: /iptables-save \(stdin:2\)/,
  },
  {
    name: "different",
    words: ["--node", "node2"],
    stdin: broken,
    status: 1,
    says: /from Service default\/tomcat6, tomcat6-service\.yaml:\d+:\d+/,
  },
  {
    name: "different for the packet",
    words: ["--node", "node2", "--to", "node2:31160"],
    stdin: broken,
    status: 1,
    says: /^FIRST DIFFERENCE on its way\n {2}nat KUBE-NODEPORTS: rule missing$/m,
  },
  {
    name: "another packet",
    words: ["--node", "node2", "--to", "tomcat6:80", "--from", "pod/nginx"],
    stdin: broken,
    status: 0,
    says: /EQUAL on the way of this packet; 1 difference elsewhere/,
  },
  {
    name: "json",
    words: ["--node", "node2", "-o", "json"],
    stdin: broken,
    status: 1,
    says: /^\{\n {2}"apiVersion": "ktrace\.dev\/v1alpha1",\n {2}"kind": "Verification",/,
  },
  {
    name: "the node of the captures is another one",
    words: ["--node", "node3", path("ip-addr")],
    status: 1,
    says: /ip addr: eth0: address missing/,
  },
  {
    name: "lines of nothing known are noted",
    words: ["--node", "node2"],
    stdin: `$ sudo iptables-save\n${save}`,
    status: 0,
    says: /note: stdin:1 belongs to no known output: \$ sudo iptables-save/,
  },
  { name: "no node", words: [path("ip-route")], status: 2, says: /verify needs --node NAME/ },
  { name: "an unknown node", words: ["--node", "node9", path("ip-route")], status: 2, says: /no node "node9"/ },
  { name: "nothing known", words: ["--node", "node2"], stdin: "hello\n", status: 2, says: /no output of a known program in stdin/ },
  {
    name: "nothing comparable",
    words: ["--node", "node2", path("nft-ruleset")],
    status: 2,
    says: /nothing in the captures can be compared/,
  },
  { name: "a file that is not there", words: ["--node", "node2", "nosuch"], status: 2, says: /nosuch cannot be read: ENOENT/ },
  {
    name: "--from without --to",
    words: ["--node", "node2", "--from", "pod/nginx", path("ip-route")],
    status: 2,
    says: /--from needs --to/,
  },
  { name: "--to without a port", words: ["--node", "node2", "--to", "node2", path("ip-route")], status: 2, says: /has no port/ },
];

for (const { name, words, stdin, status, says } of ROWS) {
  test(name, async () => {
    const done = await ktrace(["verify", ...words], { cwd, ...(stdin === undefined ? {} : { stdin }) });
    assert.match(done.stdout + done.stderr, says);
    assert.equal(done.status, status);
    assert.doesNotMatch(done.stdout + done.stderr, /ktrace bug/);
  });
}

const HOSTILE: readonly (readonly [string, string])[] = [
  ["control characters in a chain's name", "*nat\n:PREROUTING ACCEPT [0:0]\n:\u001b]0;x\u0007 - [0:0]\nCOMMIT\n"],
  [
    "names of object properties",
    "*nat\n:__proto__ - [0:0]\n:constructor - [0:0]\n-A __proto__ -j constructor\n-A constructor -j __proto__\nCOMMIT\n",
  ],
  ["a table without an end", "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m"],
  ["chains that call each other", "*filter\n:FORWARD ACCEPT [0:0]\n:A - [0:0]\n-A FORWARD -j A\n-A A -j A\nCOMMIT\n"],
  ["an nft table without an end", "table inet x {\n\tchain y {\n\t\ttype filter hook forward priority 0; policy drop;\n"],
  ["a device with odd flags", "1: \u202elo: <LOOPBACK\u001b[31m> mtu 99999999999\n    inet 999.1.1.1/99 scope host lo\n"],
  ["half a connection", "tcp      6 117 TIME_WAIT src=1.2.3.4 dst=\u001b[2J sport=x dport=y src=5.6.7.8 dst=1.2.3.4 sport=1 dport=2\n"],
  [
    "a trace of nothing",
    'trace id 0 ip nat \u001b[31m policy accept\ntrace id 0 ip nat PREROUTING packet: iif "\u001b" ip saddr 10.244.1.15\nPACKET: 2 0 IN=\n TRACE: 2 0 nat:X:rule:0x1:JUMP:\n',
  ],
];
for (const [name, stdin] of HOSTILE) {
  test(`hostile: ${name}`, async () => {
    for (const words of [[], ["--to", "10.244.2.10:8080", "--from", "pod/nginx"], ["-o", "json"]]) {
      const done = await ktrace(["verify", "--node", "node2", ...words], { cwd, stdin });
      assert.ok([0, 1, 2].includes(done.status));
      assert.doesNotMatch(done.stdout + done.stderr, /ktrace bug|[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
    }
  });
}
