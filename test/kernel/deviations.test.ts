/** The register of deviations (docs/deviations.md) and the kernel: each entry is still so, and has its test here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { compareRules } from "../../src/lab/compare/rules.ts";
import type { Flow } from "../../src/lab/observe.ts";
import type { Predicted } from "../../src/lab/predict.ts";
import { type Judged, judgeDraft } from "./random/case.ts";
import { baseOf } from "./random/cluster.ts";
import type { Draft } from "./random/draft.ts";
import { inFamilies, inIpv6 } from "./random/families.ts";

const REGISTER = fileURLToPath(new URL("../../docs/deviations.md", import.meta.url));
const small: Draft = baseOf({
  nodes: 2,
  gateway: false,
  routed: 0,
  twoNics: false,
  swapped: false,
  pods: [{ app: "a", node: 1, shape: 0 }],
});

/** `refusal`: what the kernel's own tools say to rules that ktrace takes for loaded; then no lab comes up. */
type Deviation = { readonly draft: Draft; readonly flows: readonly Flow[] } & (
  | { readonly isThere: (judged: Judged) => boolean }
  | { readonly refusal: RegExp }
);

const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  "untracked-answers": {
    draft: {
      ...small,
      rules: [{ node: "n2", table: "raw", line: "-A OUTPUT -d 10.244.2.0/24 -j NOTRACK" }],
    },
    flows: [{ from: "node/n2", protocol: "tcp", dst: "10.244.2.2", dport: 8080 }],
    isThere: ({ observed: { rulesHit }, judged: { flows } }) => {
      const taken = flows.map(({ judgement }): Predicted[] => (judgement.nearest ? [judgement.nearest] : []));
      const agree = flows.every(({ judgement }) => judgement.differences.length === 0);
      return agree && compareRules(taken, rulesHit).some(({ text }) => / nat /.test(text));
    },
  },
  "ipv6-loopback-source": {
    draft: inFamilies(small, "6"),
    flows: [{ from: "host/client", protocol: "tcp", dst: inIpv6("10.0.2.201"), dport: 8080, src: "::1" }],
    isThere: ({ judged: { flows } }) => flows.every(({ judgement }) => judgement.differences.some(({ about }) => about === "client")),
  },
  "bridge-not-there-yet": {
    // The third node has no pod: of the assumed CoreDNS, one is on each of the first two.
    draft: {
      ...baseOf({ nodes: 3, gateway: false, routed: 0, twoNics: false, swapped: false, pods: [{ app: "a", node: 0, shape: 0 }] }),
      kubernetes: { ...small.kubernetes, version: "1.33.0" },
      kubeProxy: { mode: "nftables", detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "cni0" } },
    },
    flows: [],
    refusal: /Interface does not exist[^"]*iif != "cni0"/,
  },
  "route-error-limit": {
    draft: small,
    flows: Array.from({ length: 9 }, (_, i) => ({ from: "host/client", protocol: "tcp" as const, dst: `203.0.113.${i + 1}`, dport: 80 })),
    isThere: ({ judged: { flows } }) => {
      const silent = flows.filter(({ judgement }) => judgement.differences.some(({ about }) => about === "client"));
      return silent.length > 0 && silent.length < flows.length;
    },
  },
};

const HEALED = "the deviation has healed: take it out of docs/deviations.md";

test("every entry of the register has its test, and every test its entry", () => {
  const entries = [...readFileSync(REGISTER, "utf8").matchAll(/^## (.+)$/gm)].map(([, name]) => name);
  assert.deepEqual(entries.sort(), Object.keys(DEVIATIONS).sort());
});

for (const [name, deviation] of Object.entries(DEVIATIONS))
  test(`${name}: still different`, async () => {
    const judging = judgeDraft(deviation.draft, deviation.flows, `d${process.pid}`);
    if ("refusal" in deviation) await assert.rejects(judging, { message: deviation.refusal }, HEALED);
    else assert.ok(deviation.isThere(await judging), HEALED);
  });
