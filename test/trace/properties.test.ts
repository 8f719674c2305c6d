/** What holds of every trace, on random small clusters: nothing is asserted here that the article's cluster alone would show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openCluster, type Session } from "../../src/ktrace.ts";
import { equalFractions, formatFraction, ONE, sumFractions } from "../../src/net/fraction.ts";
import { renderJsonText } from "../../src/render/json.ts";
import type { Question } from "../../src/trace/question.ts";
import type { Leg, Path } from "../../src/trace/trace.ts";

type Shape = {
  readonly nodes: number;
  readonly replicas: number;
  readonly policy: "Cluster" | "Local";
  readonly internal: "Cluster" | "Local";
  readonly sticky: boolean;
  readonly targetPort: number;
  readonly bridgeNf: 0 | 1;
  readonly hairpin: boolean;
};

const shapes: fc.Arbitrary<Shape> = fc.record({
  nodes: fc.integer({ min: 1, max: 4 }),
  replicas: fc.integer({ min: 0, max: 6 }),
  policy: fc.constantFrom("Cluster", "Local"),
  internal: fc.constantFrom("Cluster", "Local"),
  sticky: fc.boolean(),
  targetPort: fc.constantFrom(8080, 8081),
  bridgeNf: fc.constantFrom(0, 1),
  hairpin: fc.boolean(),
});

const pod = (app: string, port: number) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort: port }] }] },
});

/** A cluster of that shape, as the documents a user would write. */
function manifests(shape: Shape): string {
  const names = Array.from({ length: shape.nodes }, (_, i) => `n${i + 1}`);
  const documents = [
    {
      apiVersion: "ktrace.dev/v1alpha1",
      kind: "Topology",
      spec: {
        cni: { plugin: "flannel", backend: "vxlan", hairpinMode: shape.hairpin },
        nodes: names.map((name, i) => ({
          name,
          interfaces: [{ name: "eth0", addresses: [`10.1.0.${i + 1}/24`] }],
          podCIDRs: [`10.244.${i}.0/24`],
          sysctls: { "net.bridge.bridge-nf-call-iptables": shape.bridgeNf },
        })),
        hosts: [{ name: "client", interfaces: [{ name: "eth0", addresses: ["10.1.0.200/24"] }] }],
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { replicas: shape.replicas, selector: { matchLabels: { app: "web" } }, template: pod("web", 8080) },
    },
    { apiVersion: "v1", kind: "Pod", ...pod("probe", 80), metadata: { name: "probe", labels: { app: "probe" } } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: {
        type: "NodePort",
        clusterIP: "10.96.0.50",
        selector: { app: "web" },
        externalTrafficPolicy: shape.policy,
        internalTrafficPolicy: shape.internal,
        ...(shape.sticky ? { sessionAffinity: "ClientIP" } : {}),
        ports: [{ port: 80, targetPort: shape.targetPort, nodePort: 30080 }],
      },
    },
  ];
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}

const open = (shape: Shape): Session => openCluster({ files: ["-"], cwd: ".", stdin: () => manifests(shape) });

const ask = (from: string | undefined, host: string, port: number): Question => ({
  command: `nc ${host} ${port}`,
  program: "nc",
  from,
  namespace: "default",
  to: { host, port, protocol: "tcp" },
  evidence: false,
});

const questions: readonly Question[] = [
  ask(undefined, "10.1.0.1", 30080),
  ask(undefined, "10.96.0.50", 80),
  ask("pod/probe", "10.96.0.50", 80),
  ask("pod/probe", "10.1.0.1", 30080),
  ask("deploy/web", "10.96.0.50", 80),
  ask("node/n1", "127.0.0.1", 30080),
  ask("node/n1", "10.96.0.50", 80),
];
const asked = (shape: Shape): readonly Question[] => questions.filter(({ from }) => from !== "deploy/web" || shape.replicas > 0);

/** Holds of every trace of random clusters. */
const always = (claim: string, holds: (session: Session, question: Question, shape: Shape) => void): void => {
  test(claim, () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const session = open(shape);
        for (const question of asked(shape)) holds(session, question, shape);
      }),
      { numRuns: 60, seed: 31160 },
    );
  });
};

always("shares sum to exactly 1", (session, question) => {
  const sum = sumFractions(session.trace(question).paths.map(({ share }) => share));
  assert.ok(equalFractions(sum, ONE), `${question.command}: ${formatFraction(sum)}`);
});

always("the same input gives the same JSON", (session, question, shape) => {
  const again = open(shape);
  assert.equal(renderJsonText(session.trace(question), session.context), renderJsonText(again.trace(question), again.context));
});

always("of a delivered request the answer comes back to who asked", (session, question) => {
  for (const path of session.trace(question).paths) {
    if (path.verdict !== "delivered") continue;
    const { hops, reply } = lastLeg(path);
    assert.deepEqual([reply.verdict, reply.hops.at(-1)?.netns], ["delivered", hops[0]?.netns]);
    assert.equal(reply.hops[0]?.netns, hops.at(-1)?.netns);
  }
});

always("endpoints get even shares of what a node spreads", (session, question, shape) => {
  const { paths } = session.trace(question);
  if (shape.policy === "Local" || shape.internal === "Local" || shape.replicas === 0) return;
  if (paths.some(({ destination }) => destination?.kind !== "pod")) return;
  const shares = new Set(paths.map(({ share }) => formatFraction(share)));
  assert.deepEqual([...shares], [shape.replicas === 1 ? "1" : `1/${shape.replicas}`]);
});

function lastLeg(path: Path): Leg {
  const leg = path.legs.at(-1);
  assert.ok(leg);
  return leg;
}
