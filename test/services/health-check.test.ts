/** healthCheckNodePort by node, in each mode: 200 where an endpoint of the Service runs, else 503 (pkg/proxy/healthcheck/service_health.go). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMode, MODES, openServices, SOURCES } from "./cluster.ts";

for (const mode of Object.keys(MODES).filter((name) => name !== "userspace"))
  for (const [node, ip, status] of [
    ["k8s-node1", "192.168.56.100", 503],
    ["k8s-node2", "192.168.56.101", 503],
    ["k8s-node3", "192.168.56.102", 200],
  ] as const)
    test(`${mode}: ${node} answers ${status}`, () => {
      assert.ok(isMode(mode));
      const http = { scheme: "http", path: "/", method: "GET", insecure: false, head: false, follow: false, fail: false } as const;
      const { paths } = openServices(mode).trace({
        command: `curl http://${ip}:32025/`,
        program: "curl",
        from: SOURCES.outside,
        namespace: "default",
        to: { host: ip, protocol: "tcp", port: 32025 },
        http: { ...http, resolve: [], connectTo: [] },
        evidence: false,
      });
      assert.deepEqual(
        paths.map((path) => [path.status, path.verdict]),
        [[status, status === 200 ? "delivered" : "http-error"]],
      );
    });
