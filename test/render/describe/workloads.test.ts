/** Namespaces, quotas, limit ranges and what makes pods, line by line as kubectl's describers lay them out (kubectl/pkg/describe). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ktrace } from "../../cli/io.ts";

const TEMPLATE = "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}";
const REPLICATED = `replicas: 2, selector: {matchLabels: {app: web}}, ${TEMPLATE}`;
const INPUT = [
  `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web}, spec: {${REPLICATED}}}`,
  `{apiVersion: v1, kind: ReplicationController, metadata: {name: old}, spec: {replicas: 1, selector: {app: old}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: x}]}}}}`,
  `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, ${REPLICATED}}}`,
  `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: web}}, ${TEMPLATE}}}`,
  `{apiVersion: batch/v1, kind: Job, metadata: {name: queue}, spec: {parallelism: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}`,
  "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: 5, limits.cpu: 2, secrets: 9}, scopes: [BestEffort]}}",
  "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Pod, max: {memory: 1Gi}, min: {cpu: 1m, memory: 1Mi}}]}}",
].join("\n---\n");

const describe = async (words: string): Promise<string> =>
  (await ktrace(["-q", "-f", "-", "describe", ...words.split(" ")], { stdin: INPUT })).stdout;
const QUIET = INPUT.split("\n---\n").slice(0, 5).join("\n---\n");
const described = async (words: string): Promise<string> =>
  (await ktrace(["-q", "-f", "-", "describe", ...words.split(" ")], { stdin: QUIET })).stdout;

const rows: readonly { readonly words: string; readonly lines: readonly RegExp[] }[] = [
  {
    words: "rs web",
    lines: [
      /^Selector: +app=web$/m,
      /^Replicas: +2 current \/ 2 desired$/m,
      /^Pods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m,
      /^Events: +<none>$/m,
    ],
  },
  { words: "rc old", lines: [/^Selector: +app=old$/m, /^Replicas: +1 current \/ 1 desired$/m] },
  {
    words: "sts db",
    lines: [
      /^Replicas: +2 desired \| 2 total$/m,
      /^Update Strategy: +RollingUpdate$/m,
      /^Pods Status: +2 Running/m,
      /^Pod Template:\n {2}Labels: +app=web$/m,
    ],
  },
  {
    words: "ds agent",
    lines: [/^Node-Selector: +<none>$/m, /^Desired Number of Nodes Scheduled: +2$/m, /^Number of Nodes Misscheduled: +0$/m],
  },
  {
    words: "job queue",
    lines: [
      /^Parallelism: +2$/m,
      /^Completions: +<unset>$/m,
      /^Completion Mode: +NonIndexed$/m,
      /^Pods Statuses: +2 Active \(2 Ready\) \/ 0 Succeeded \/ 0 Failed$/m,
    ],
  },
];
for (const { words, lines } of rows)
  test(`describe ${words}`, async () => {
    const text = await described(words);
    for (const line of lines) assert.match(text, line);
  });

test("describe quota: names in order, and <unknown> where ktrace does not read the kind", async () => {
  assert.equal(
    await describe("quota q"),
    [
      "Name:       q",
      "Namespace:  default",
      "Scopes:     BestEffort",
      "Resource    Used       Hard",
      "--------    ----       ----",
      "limits.cpu  0          2",
      "pods        0          5",
      "secrets     <unknown>  9",
      "",
    ].join("\n"),
  );
});

test("describe limits: one line a resource, a dash where nothing is said", async () => {
  assert.equal(
    await describe("limits l"),
    [
      "Name:       l",
      "Namespace:  default",
      "Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio",
      "----        --------  ---  ---  ---------------  -------------  -----------------------",
      "Pod         cpu       1m   -    -                -              -",
      "Pod         memory    1Mi  1Gi  -                -              -",
      "",
    ].join("\n"),
  );
});

test("a controller that is stopped by the LimitRange says so", async () => {
  assert.match(
    await describe("rs web"),
    /Warning {2}FailedCreate {2}<unknown> {2}replicaset-controller {2}Error creating: pods "web-[b-z2-9]{5}" is forbidden: \[minimum cpu usage per Pod is 1m\. {2}No request is specified, minimum memory usage/,
  );
});
