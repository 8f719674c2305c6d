/** ipset's texts: what ipset 7.17 printed is read, and what is printed reads back the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { programIpvs } from "../../src/agents/kube-proxy/ipvs/program.ts";
import { parseIpset, printIpsetList, printIpsetNames, printIpsetSave } from "../../src/dialects/ipset.ts";
import type { IpSet } from "../../src/linux/netfilter/table.ts";
import { createCauseTable } from "../../src/objects/cause.ts";
import { nodeNamed, oracleCases, oracleCluster } from "../agents/kube-proxy/oracle.ts";

const LIST = `Name: A
Type: hash:ip,port
Revision: 7
Header: family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xc6ac02ad
Size in memory: 304
References: 0
Number of entries: 1
Members:
fd00::1,tcp:80

Name: B
Type: bitmap:port
Revision: 3
Header: range 0-65535
Size in memory: 8264
References: 0
Number of entries: 2
Members:
80 timeout 300
443
`;
const SAVE = `create A hash:ip,port family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xc6ac02ad
add A fd00::1,tcp:80
create B bitmap:port range 0-65535
add B 80
add B 443
`;

const plain = (sets: readonly IpSet[]) => sets.map(({ name, type, family, members }) => ({ name, type, family, members: members() }));
const EXPECTED = [
  { name: "A", type: "hash:ip,port", family: 6, members: ["fd00::1,tcp:80"] },
  { name: "B", type: "bitmap:port", family: undefined, members: ["443", "80"] },
];
test("reads what `ipset list` printed", () => assert.deepEqual(plain(parseIpset(LIST).sets), EXPECTED));
test("reads what `ipset save` printed", () => assert.deepEqual(plain(parseIpset(SAVE).sets), EXPECTED));

test("what is printed reads back the same, for every set of the oracle", () => {
  for (const { name, nodes } of oracleCases) {
    const cluster = oracleCluster(name, "ipvs");
    const sets = [...programIpvs(cluster, nodeNamed(cluster, nodes[0] ?? ""), createCauseTable()).sets.values()];
    for (const print of [printIpsetList, printIpsetSave]) {
      const { sets: read, problems } = parseIpset(print(sets));
      assert.deepEqual(problems, []);
      assert.deepEqual(plain(read), plain(sets));
      assert.equal(print(read), print(sets));
    }
    assert.equal(printIpsetNames(sets).split("\n").length, 35);
  }
});

test("trouble is said with its line", () => {
  assert.deepEqual(parseIpset("add X 1.2.3.4\ncreate Y\n").problems, [
    { line: 1, message: 'set "X" is not created before this line' },
    { line: 2, message: "a set without a type" },
  ]);
});

test("any text is read without a crash", () => {
  const word = fc.constantFrom("create", "add", "A", "hash:ip", "__proto__", "Name:", "Members:", "Type:", "\n", "\u001b", "1.2.3.4", " ");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      for (const set of parseIpset(words.join(" ")).sets) set.members();
    }),
    { seed: 1 },
  );
});
