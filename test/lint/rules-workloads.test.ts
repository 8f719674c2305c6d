/** What KT201 to KT212 say beyond their own examples: the place, the words, the remedy, and what they leave alone. */

import { KT208 } from "../../src/lint/rules/duplicate-port-name.ts";
import { KT204 } from "../../src/lint/rules/endpoints-only-on-tainted-nodes.ts";
import { KT205 } from "../../src/lint/rules/host-port-conflict.ts";
import { KT206 } from "../../src/lint/rules/host-port-needs-portmap.ts";
import { KT210 } from "../../src/lint/rules/pod-binds-loopback.ts";
import { KT203 } from "../../src/lint/rules/pod-unschedulable.ts";
import { KT209 } from "../../src/lint/rules/port-conflict-in-pod.ts";
import { KT207 } from "../../src/lint/rules/readiness-probe-port-mismatch.ts";
import { KT212 } from "../../src/lint/rules/statefulset-service-name.ts";
import { KT201 } from "../../src/lint/rules/workload-selector-mismatch.ts";
import { KT202 } from "../../src/lint/rules/workload-selector-overlap.ts";
import { runCases, workload } from "./cases.ts";

const pod = (name: string, spec: string, labels = `app: ${name}`): string =>
  `{kind: Pod, apiVersion: v1, metadata: {name: ${name}, labels: {${labels}}}, spec: {${spec}}}\n---\n`;
const container = (more: string, name = "c"): string => `{name: ${name}, image: x, ${more}}`;
const deployment = (spec: string): string => `kind: Deployment\napiVersion: apps/v1\nmetadata: {name: api}\nspec: ${spec}\n`;
const CONTAINERS = "spec: {containers: [{name: c, image: x}]}";

runCases([
  {
    name: "a template without labels gets them",
    rule: KT201,
    manifests: deployment(`{selector: {matchLabels: {app: api, tier: "1"}}, template: {${CONTAINERS}}}`),
    says: [
      `error {spec: {containers: [{name: c, image: x}]}}: Deployment default/api selects app: api, tier: 1, and the pods of its template carry no labels`,
    ],
    writes: ['metadata: {labels: {app: api, tier: "1"}}'],
  },
  {
    name: "one label of two is wrong: only that one is named",
    rule: KT201,
    manifests: deployment(
      `{selector: {matchLabels: {app: api, tier: web}}, template: {metadata: {labels: {app: api, tier: wbe}}, ${CONTAINERS}}}`,
    ),
    says: ["error wbe: Deployment default/api selects app: api, tier: web, and the pods of its template carry app: api, tier: wbe"],
    writes: ["web"],
  },
  {
    name: "apps/v1 demands a selector",
    rule: KT201,
    manifests: deployment(`{template: {metadata: {labels: {app: api}}, ${CONTAINERS}}}`),
    says: [
      `error {template: {metadata: {labels: {app: api}}, ${CONTAINERS}}}: Deployment default/api has no selector, which apps/v1 demands`,
    ],
    writes: ["selector: {matchLabels: {app: api}}"],
  },
  {
    name: "expressions may hold where labels say nothing",
    rule: KT201,
    manifests: deployment(
      `{selector: {matchExpressions: [{key: app, operator: In, values: [api, web]}]}, template: {metadata: {labels: {app: api}}, ${CONTAINERS}}}`,
    ),
    says: [],
  },
  {
    name: "a Deployment leaves a bare Pod alone, but counts it",
    rule: KT202,
    manifests: pod("debug", "containers: [{name: c, image: x}]", "app: web"),
    says: ["warning web: Deployment default/web selects app: web, which Pod default/debug carries too"],
  },
  {
    name: "a ReplicationController takes it",
    rule: KT202,
    manifests: `${workload("ReplicationController", "old")}${pod("debug", "containers: [{name: c, image: x}]", "app: old")}`,
    says: [
      "error old: Pod default/debug carries app: old, so ReplicationController default/old takes it for one of its own and counts it among its replicas",
    ],
  },
  {
    name: "two Deployments, said once",
    rule: KT202,
    manifests: deployment(`{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, ${CONTAINERS}}}`),
    says: ["warning web: Deployment default/web selects app: web, which the pods of Deployment default/api carry too"],
  },
  {
    name: "another namespace is another matter",
    rule: KT202,
    manifests: pod("debug", "containers: [{name: c, image: x}]", "app: web").replace("name: debug", "name: debug, namespace: other"),
    says: [],
  },
  {
    name: "a node label's value is misspelt",
    rule: KT203,
    manifests: pod("api", "nodeSelector: {kubernetes.io/hostname: k8s-node-2}, containers: [{name: c, image: x}]"),
    says: [
      "error k8s-node-2: Pod default/api stays Pending: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector",
    ],
    writes: ["k8s-node2"],
  },
  {
    name: "a node that is not there",
    rule: KT203,
    manifests: pod("api", "nodeName: k8s-node4, containers: [{name: c, image: x}]"),
    says: ['error k8s-node4: Pod default/api stays Pending: node "k8s-node4" not found'],
  },
  {
    name: "a taint on every node",
    rule: KT203,
    manifests: pod("api", "containers: [{name: c, image: x}]"),
    topology:
      "nodes: [{name: k8s-node2, taints: [{key: gpu, effect: NoSchedule}]}, {name: k8s-node3, taints: [{key: gpu, effect: NoExecute}]}]",
    says: [
      "error base.yaml: Deployment default/web: its 2 pods stay Pending: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) had untolerated taint {gpu: }",
      "error {containers: [{name: c, image: x}]}: Pod default/api stays Pending: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) had untolerated taint {gpu: }",
    ],
  },
  {
    name: "two pods on one node, though there are others",
    rule: KT204,
    manifests: `${workload("Deployment", "adm", "ports: [{containerPort: 8080}]", { spec: "replicas: 2", pod: "nodeSelector: {kubernetes.io/hostname: k8s-node3}" })}{kind: Service, apiVersion: v1, metadata: {name: adm}, spec: {selector: {app: adm}, ports: [{port: 8080}]}}\n`,
    says: ["warning {kubernetes.io/hostname: k8s-node3}: Service default/adm: all 2 ready pods run on k8s-node3"],
  },
  {
    name: "a single pod is on one node, whatever one does",
    rule: KT204,
    manifests: `${workload("Deployment", "adm", "ports: [{containerPort: 8080}]", { spec: "replicas: 1" })}{kind: Service, apiVersion: v1, metadata: {name: adm}, spec: {selector: {app: adm}, ports: [{port: 8080}]}}\n`,
    says: [],
  },
  {
    name: "what tolerates the control plane by name belongs there",
    rule: KT204,
    manifests: `${pod("adm", "nodeName: k8s-node1, tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}], containers: [{name: c, image: x}]")}{kind: Service, apiVersion: v1, metadata: {name: adm}, spec: {selector: {app: adm}, ports: [{port: 8080}]}}\n`,
    says: [],
  },
  {
    name: "more replicas than nodes",
    rule: KT205,
    manifests: workload("Deployment", "edge", "ports: [{containerPort: 8080, hostPort: 8081}]", { spec: "replicas: 4" }),
    says: ["error 8081: Deployment default/edge: 2 pods stay Pending, for its other pods have port 8081/TCP on k8s-node2 and k8s-node3"],
  },
  {
    name: "one port twice in a pod is refused",
    rule: KT205,
    manifests: pod(
      "p",
      `containers: [${container("ports: [{containerPort: 1, hostPort: 80}]", "a")}, ${container("ports: [{containerPort: 2, hostPort: 80}]", "b")}]`,
    ),
    says: ['error 80: Pod default/p: spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
  },
  {
    name: "no portmap plugin",
    rule: KT206,
    manifests: pod("h", `nodeName: k8s-node2, containers: [${container("ports: [{containerPort: 8080, hostPort: 8088}]")}]`),
    topology: "cni: {portmap: false}",
    says: ["warning 8088: Pod default/h asks for port 8088 of k8s-node2, and no portmap plugin leads it to the pod"],
  },
  {
    name: "a name that the container does not have",
    rule: KT207,
    manifests: pod(
      "api",
      `containers: [${container("ports: [{name: http, containerPort: 8080}], startupProbe: {httpGet: {port: htttp}}")}]`,
    ),
    says: ["error htttp: Pod default/api: its probe asks the port called htttp, which container c does not have"],
    writes: ["http"],
  },
  {
    name: "a health port of its own need not be declared",
    rule: KT207,
    manifests: pod(
      "api",
      `containers: [${container("ports: [{name: http, containerPort: 80}], readinessProbe: {httpGet: {port: 10254}}")}]`,
    ),
    says: [],
  },
  {
    name: "nor the one beside the port",
    rule: KT207,
    manifests: pod("api", `containers: [${container("ports: [{containerPort: 8080}], readinessProbe: {httpGet: {port: 8081}}")}]`),
    says: [],
  },
  {
    name: "a name with no letter is refused",
    rule: KT208,
    manifests: pod("api", `containers: [${container('ports: [{name: "8080", containerPort: 8080}]')}]`),
    says: [
      'error "8080": Pod default/api: spec.containers[0].ports[0].name: Invalid value: "8080": must contain at least one letter (a-z)',
    ],
  },
  {
    name: "one name for UDP and TCP is one name a protocol",
    rule: KT208,
    manifests: pod(
      "dns",
      `containers: [${container("ports: [{name: dns, containerPort: 53, protocol: UDP}]", "a")}, ${container("ports: [{name: dns, containerPort: 5353}]", "b")}]`,
    ),
    says: [],
  },
  {
    name: "UDP and TCP do not meet",
    rule: KT209,
    manifests: pod(
      "dns",
      `containers: [${container("ports: [{containerPort: 53, protocol: UDP}]", "a")}, ${container("ports: [{containerPort: 53}]", "b")}]`,
    ),
    says: [],
  },
  {
    name: "an init container is gone by then, a sidecar is not",
    rule: KT209,
    manifests: pod(
      "p",
      `initContainers: [${container("ports: [{containerPort: 80}]", "init")}, ${container("restartPolicy: Always, ports: [{containerPort: 81}]", "side")}], containers: [${container("ports: [{containerPort: 80}, {containerPort: 81}]")}]`,
    ),
    says: ["error 81: Pod default/p: containers c and side both declare port 81/TCP"],
  },
  {
    name: "the flag and its value as two words",
    rule: KT210,
    manifests: pod("p", `containers: [${container('args: ["--bind", "localhost"], ports: [{containerPort: 80}]')}]`),
    says: ['warning "localhost": Pod default/p: container c listens on localhost only, and declares port 80 for others'],
  },
  {
    name: "a variable that names whom to call",
    rule: KT210,
    manifests: pod(
      "p",
      `containers: [${container('env: [{name: REDIS_ADDR, value: "localhost:6379"}, {name: DB_HOST, value: localhost}], ports: [{containerPort: 80}]')}]`,
    ),
    says: [],
  },
  {
    name: "metrics on a port that is not declared",
    rule: KT210,
    manifests: pod("p", `containers: [${container('args: ["--metrics-bind-address=127.0.0.1:9090"], ports: [{containerPort: 80}]')}]`),
    says: [],
  },
  {
    name: "no Service of that name, and one that was meant",
    rule: KT212,
    manifests: `${workload("StatefulSet", "db", 'env: [{name: SEED, value: "db-0.db-hedless:5432"}]', { spec: "serviceName: db-hedless" })}{kind: Service, apiVersion: v1, metadata: {name: db-headless}, spec: {clusterIP: None, selector: {app: db}, ports: [{port: 1}]}}\n`,
    says: ["error db-hedless: StatefulSet default/db: serviceName db-hedless names no Service, so db-0.db-hedless has no address"],
    writes: ["db-headless"],
  },
  {
    name: "nobody calls its pods by name: a warning",
    rule: KT212,
    manifests: workload("StatefulSet", "db", "", { spec: "serviceName: db" }),
    says: ["warning db: StatefulSet default/db: serviceName db names no Service, so db-0.db has no address"],
  },
  {
    name: "headless, and selects other pods",
    rule: KT212,
    manifests: `${workload("StatefulSet", "db", "", { spec: "serviceName: db" })}{kind: Service, apiVersion: v1, metadata: {name: db}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 1}]}}\n`,
    says: ["warning {app: web}: StatefulSet default/db: its Service db selects app: web, and its pods carry app: db"],
  },
]);
