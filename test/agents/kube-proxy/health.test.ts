import assert from "node:assert/strict";
import { test } from "node:test";
import { healthChecks } from "../../../src/agents/kube-proxy/health.ts";
import { capture, nodeNamed, oracleCases, oracleCluster } from "./oracle.ts";

let compared = 0;
for (const { name, nodes } of oracleCases) {
  for (const node of nodes) {
    const captured = capture(name, node, "health.json");
    test(`${name} ${node}: health check ports`, () => {
      const cluster = oracleCluster(name);
      const checks = healthChecks(cluster, nodeNamed(cluster, node));
      if (captured === undefined) return assert.deepEqual(checks, []);
      compared += 1;
      const [check] = checks;
      assert.equal(checks.length, 1);
      assert.ok(captured.includes(`:${check?.port}/`));
      assert.ok(captured.includes(`HTTP/1.1 ${check?.status} `));
      assert.ok(
        captured.includes(`X-Load-Balancing-Endpoint-Weight: ${check?.localEndpoints}\\n`) ||
          captured.includes(`X-Load-Balancing-Endpoint-Weight: ${check?.localEndpoints}\\r`),
      );
    });
  }
}
test("three nodes have captures", () => assert.equal(compared, 3));
