/** `--again`: whether the next connection of the same client goes where the first one went (scenario S69; issue C, sessionAffinity). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../cli/io.ts";
import { changed, REFERENCE, replace, traced } from "./rows.ts";

type Again = { readonly connection: number; readonly same: string; readonly outcomes: readonly { readonly share: string }[] };

const sticky = replace("sessionAffinity: None", "sessionAffinity: ClientIP");
const byClient = changed({ "tomcat6-service.yaml": sticky });
const lb = replace(
  "  ingressControllers:\n",
  "  loadBalancers: [{name: lb, address: 192.168.56.200, listens: [{port: 80, to: 31160}], targets: [node2]}]\n  ingressControllers:\n",
);
const throughBalancer = changed({ "tomcat6-service.yaml": sticky, "topology.yaml": lb });

const cases = [
  {
    name: "without affinity every connection is drawn anew",
    cwd: REFERENCE,
    command: "--again curl node2:31160",
    same: ["1/3", "1/3", "1/3"],
  },
  { name: "ClientIP: from outside", cwd: byClient, command: "--again curl node2:31160", same: ["1", "1", "1"] },
  {
    name: "ClientIP: the key is the address before masquerading",
    cwd: byClient,
    command: "exec node/k8s-node1 -- curl --again http://10.96.246.235/",
    same: ["1", "1", "1"],
  },
  { name: "ClientIP: from a pod", cwd: byClient, command: "exec pod/nginx -- curl --again http://10.96.246.235/", same: ["1", "1", "1"] },
  {
    name: "ClientIP behind a balancer: all its clients are one",
    cwd: throughBalancer,
    command: "--again curl http://lb/",
    same: ["1", "1", "1"],
  },
  {
    name: "UDP of one socket: the connection itself is remembered",
    cwd: REFERENCE,
    command: "--again nc -u -p 5000 node2 31999",
    same: ["1", "1"],
  },
  { name: "UDP of another socket is drawn anew", cwd: REFERENCE, command: "--again nc -u node2 31999", same: ["1/2", "1/2"] },
] as const;
for (const { name, cwd, command, same } of cases)
  test(name, async () => {
    const { trace } = await traced(command, cwd);
    assert.deepEqual(
      trace.paths.map((path) => rounds(path).map((round) => round.same)),
      same.map((share) => [share]),
    );
  });

test("the list is kept by each node: another node draws anew", async () => {
  const three = changed({
    "tomcat6-service.yaml": sticky,
    "topology.yaml": replace(
      "  ingressControllers:\n",
      "  loadBalancers: [{name: lb, address: 192.168.56.200, listens: [{port: 80, to: 31160}], targets: [node1, node2, node3]}]\n  ingressControllers:\n",
    ),
  });
  const { trace } = await traced("--again curl http://lb/", three);
  // The balancer goes back to the same node with 1/3, which remembers; each of the others hits the pod with 1/3.
  for (const path of trace.paths) assert.equal(rounds(path)[0]?.same, "5/9");
});

test("every repetition counts, and its shares sum to 1", async () => {
  const { trace } = await traced("--again 3 curl node2:31160");
  for (const path of trace.paths) {
    assert.deepEqual(
      rounds(path).map((round) => round.connection),
      [2, 3, 4],
    );
    for (const { outcomes } of rounds(path))
      assert.deepEqual(
        outcomes.map(({ share }) => share),
        ["1/3", "1/3", "1/3"],
      );
  }
});

test("text says whether it sticks", async () => {
  assert.match(
    (await ktrace(["--again", "curl", "node2:31160"], { cwd: byClient })).stdout,
    /connection 2 ends where the first one did, always +it sticks/,
  );
  assert.match((await ktrace(["curl", "node2:31160", "--again"], { cwd: REFERENCE })).stdout, /for 1\/3 of clients\s+nothing ties/);
});

test("--again is a number", async () => {
  const { status, stderr } = await ktrace(["--again=none", "curl", "node2:31160"], { cwd: REFERENCE });
  assert.equal(status, 2);
  assert.match(stderr, /--again is a number from 1 to 20/);
});

function rounds(path: object): readonly Again[] {
  return "again" in path && Array.isArray(path.again) ? path.again : [];
}
