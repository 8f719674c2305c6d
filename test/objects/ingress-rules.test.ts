/** Which Ingress rule takes a request on a host where ingress-nginx reads paths as regular expressions. Plain paths: test/apps/ingress.test.ts. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Ingress } from "../../src/objects/api.ts";
import { matchRule, rulesOfIngress } from "../../src/objects/ingress-rules.ts";

const USE_REGEX = "nginx.ingress.kubernetes.io/use-regex";
const REWRITE = "nginx.ingress.kubernetes.io/rewrite-target";

const ingress = (name: string, paths: readonly string[], annotations: Record<string, string> = {}): Ingress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name, annotations },
  spec: {
    rules: [
      {
        host: "a.test",
        http: { paths: paths.map((path) => ({ path, pathType: "ImplementationSpecific", backend: { service: { name } } })) },
      },
    ],
  },
  source: { file: "i.yaml", offset: 0, path: [] },
});

const cases = [
  {
    name: "a group takes what follows",
    of: [ingress("r", ["/app(/|$)(.*)"], { [USE_REGEX]: "true" })],
    path: "/app/x",
    takes: "/app(/|$)(.*)",
  },
  { name: "and not a longer word", of: [ingress("r", ["/app(/|$)(.*)"], { [USE_REGEX]: "true" })], path: "/apple", takes: undefined },
  { name: "without the annotation it is plain text", of: [ingress("r", ["/app(/|$)(.*)"])], path: "/app/x", takes: undefined },
  { name: "a rewrite turns it on", of: [ingress("r", ["/v[12]"], { [REWRITE]: "/" })], path: "/v2/x", takes: "/v[12]" },
  { name: "case does not count", of: [ingress("r", ["/v[12]"], { [REWRITE]: "/" })], path: "/V2", takes: "/v[12]" },
  {
    name: "one Ingress decides for all of the host",
    of: [ingress("plain", ["/b.r"]), ingress("r", ["/x"], { [USE_REGEX]: "true" })],
    path: "/bar",
    takes: "/b.r",
  },
  {
    name: "the longest text comes first, though a shorter one says more",
    of: [ingress("r", ["/api/x/v1/a", "/api/.*/v1/.*"], { [USE_REGEX]: "true" })],
    path: "/api/x/v1/a",
    takes: "/api/.*/v1/.*",
  },
  { name: "what does not compile matches nothing", of: [ingress("r", ["/(["], { [USE_REGEX]: "true" })], path: "/([", takes: undefined },
  {
    name: "what may run for ever is not tried",
    of: [ingress("r", ["/(a+)+$"], { [USE_REGEX]: "true" })],
    path: `/${"a".repeat(60)}!`,
    takes: undefined,
  },
  {
    name: "nor with one more pair of brackets",
    of: [ingress("r", ["/((a+))+$"], { [USE_REGEX]: "true" })],
    path: `/${"a".repeat(60)}!`,
    takes: undefined,
  },
  {
    name: "nor many repetitions over a long path",
    of: [ingress("r", [`/${".*".repeat(12)}b`], { [USE_REGEX]: "true" })],
    path: `/${"a".repeat(2000)}`,
    takes: undefined,
  },
] as const;

for (const { name, of, path, takes } of cases)
  test(name, () => assert.equal(matchRule(of.flatMap(rulesOfIngress), "a.test", path)?.path.path, takes));
