/** `ktrace explain service.spec.FIELD` (scenario S56): text, version range, since and removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELDS, fieldText, lookupField, versionRange } from "../../../../src/render/explain/fields/fields.ts";
import { ktrace } from "../../../cli/io.ts";

const minor = (release: string): number => {
  assert.match(release, /^1\.\d+$/);
  return Number(release.slice(2));
};

test("every field says what, what packets do, and since when", () => {
  for (const { path, type, what, packets, since, deprecated, removed } of FIELDS) {
    assert.match(path, /^service\.spec\.[a-zA-Z]+$/);
    assert.match(type, /^(string|boolean|integer|Object|\[\]\w+|map\[string\]string)$/, path);
    for (const text of [what, packets]) assert.match(text, /^[A-Z`"a-z-].*[.]$/s, path);
    const order = [since, ...(deprecated ? [deprecated] : []), ...(removed ? [removed] : [])].map(minor);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      path,
    );
  }
  assert.equal(new Set(FIELDS.map(({ path }) => path)).size, FIELDS.length);
});

// Releases: the Kubernetes changelogs and feature gates.
const claims = [
  ["allocateLoadBalancerNodePorts", "1.20 and later", /no node port rule/],
  ["clusterIP", "1.0 and later", /headless/],
  ["clusterIPs", "1.20 and later", /first equals clusterIP/],
  ["externalIPs", "1.1 and later, deprecated in 1.36", /KEP-5707/],
  ["externalName", "1.4 and later", /CNAME/],
  ["externalTrafficPolicy", "1.7 and later", /Cluster masquerades/],
  ["healthCheckNodePort", "1.7 and later", /503/],
  ["internalTrafficPolicy", "1.21 and later", /stable in 1\.26/],
  ["ipFamilies", "1.20 and later", /is refused/],
  ["ipFamilyPolicy", "1.20 and later", /PreferDualStack/],
  ["loadBalancerIP", "1.1 and later, deprecated in 1.24", /annotation/],
  ["loadBalancerClass", "1.21 and later", /Stable in 1\.24/],
  ["loadBalancerSourceRanges", "1.3 and later", /node port stays open/],
  ["ports", "1.0 and later", /targetPort/],
  ["publishNotReadyAddresses", "1.8 and later", /DNS/],
  ["selector", "1.0 and later", /refused/],
  ["sessionAffinity", "1.0 and later", /before masquerading/],
  ["sessionAffinityConfig", "1.8 and later", /10800/],
  ["topologyKeys", "1.17 to 1.21, deprecated in 1.21, removed in 1.22", /trafficDistribution/],
  ["trafficDistribution", "1.30 and later", /PreferClose/],
  ["type", "1.0 and later", /ExternalName/],
] as const;

for (const [name, range, says] of claims)
  test(`S56: explain service.spec.${name}`, async () => {
    const field = lookupField(`service.spec.${name}`);
    assert.ok(field);
    assert.equal(versionRange(field), range);
    assert.match(fieldText(field), says);
    const { status, stdout } = await ktrace(["explain", `service.spec.${name}`]);
    assert.equal(status, 0);
    assert.ok(stdout.startsWith(`service.spec.${name} <${field.type}>\n\n`), stdout);
    assert.match(stdout, /^ {2}releases {2}1\./m);
  });

test("all of them are claimed above", () =>
  assert.deepEqual(
    claims.map(([name]) => `service.spec.${name}`).sort(),
    FIELDS.map(({ path }) => path),
  ));

test("the list, JSON, other spellings and what is no field", async () => {
  const list = await ktrace(["explain", "service.spec"]);
  assert.equal(list.stdout.trimEnd().split("\n").length, FIELDS.length);
  const json = JSON.parse((await ktrace(["explain", "svc.spec.topologyKeys", "-o", "json"])).stdout);
  assert.deepEqual([json.kind, json.path, json.since, json.removed], ["Field", "service.spec.topologyKeys", "1.17", "1.22"]);
  for (const [word, help] of [
    ["services.spec.clusterIp", /did you mean service\.spec\.clusterIP\?/],
    ["__proto__.constructor", /ktrace explain service\.spec lists/],
  ] as const) {
    const { status, stderr } = await ktrace(["explain", word]);
    assert.equal(status, 2);
    assert.match(stderr, help);
  }
});
