/** The fixes and suggestions of the rules about workloads, node ports and Ingresses: the text afterwards, and that it is clean. */
import assert from "node:assert/strict";
import test from "node:test";
import { judge } from "./lint-text.ts";

const NODES = "{nodes: [{name: k8s-node1, labels: {disk: ssd}}]}";
const deployment = (spec: string): string => `kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: api\nspec:\n${spec}`;
const CONTAINERS = "    spec:\n      containers: [{name: c, image: x}]\n";
const SERVICE =
  "---\nkind: Service\napiVersion: v1\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{name: http, port: 80}]}\n";
const CLASS =
  "---\nkind: IngressClass\napiVersion: networking.k8s.io/v1\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n";
const ingress = (metadata: string, head: string, service: string, path = "            pathType: Prefix\n"): string =>
  `kind: Ingress
apiVersion: networking.k8s.io/v1
metadata:
  name: i
${metadata}spec:
${head}  rules:
    - host: a.test.com
      http:
        paths:
          - path: /
${path}            backend:
              service: ${service}
`;
const OF_CLASS = "  ingressClassName: nginx\n";
const GOOD = "{name: web, port: {number: 80}}";

const rows: readonly { code: string; name: string; text: string; gives: string; topology?: string }[] = [
  {
    code: "KT201",
    name: "the selector's labels in a template that has others",
    text: deployment(
      `  selector: {matchLabels: {app: api, tier: "1"}}\n  template:\n    metadata:\n      labels:\n        app: apis # old\n${CONTAINERS}`,
    ),
    gives: deployment(
      `  selector: {matchLabels: {app: api, tier: "1"}}\n  template:\n    metadata:\n      labels:\n        tier: "1"\n        app: api # old\n${CONTAINERS}`,
    ),
  },
  {
    code: "KT201",
    name: "in a template that has none",
    text: deployment(`  selector: {matchLabels: {app: api}}\n  template:\n${CONTAINERS}`),
    gives: deployment(`  selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n${CONTAINERS}`),
  },
  {
    code: "KT201",
    name: "no selector at all",
    text: deployment(`  template:\n    metadata: {labels: {app: api}}\n${CONTAINERS}`),
    gives: deployment(`  selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n${CONTAINERS}`),
  },
  {
    code: "KT203",
    name: "a label that no node has, but for a letter",
    text: "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec:\n  nodeSelector:\n    disks: ssd\n  containers: [{name: c, image: x}]\n",
    gives: "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec:\n  nodeSelector:\n    disk: ssd\n  containers: [{name: c, image: x}]\n",
    topology: NODES,
  },
  {
    code: "KT207",
    name: "a probe's port",
    text: "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 80}], readinessProbe: {httpGet: {port: htp}}}]}\n",
    gives:
      "kind: Pod\napiVersion: v1\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, ports: [{name: http, containerPort: 80}], readinessProbe: {httpGet: {port: http}}}]}\n",
  },
  {
    code: "KT212",
    name: "a Service that is not headless",
    text: "kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db}\nspec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x}]}}}\n---\nkind: Service\napiVersion: v1\nmetadata: {name: db}\nspec:\n  selector: {app: db}\n  ports: [{port: 1}]\n",
    gives:
      "kind: StatefulSet\napiVersion: apps/v1\nmetadata: {name: db}\nspec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: x}]}}}\n---\nkind: Service\napiVersion: v1\nmetadata: {name: db}\nspec:\n  clusterIP: None\n  selector: {app: db}\n  ports: [{port: 1}]\n",
  },
  {
    code: "KT306",
    name: "a node port instead",
    text: "kind: Service\napiVersion: v1\nmetadata: {name: web}\nspec:\n  type: LoadBalancer # one day\n  ports: [{port: 80}]\n",
    gives: "kind: Service\napiVersion: v1\nmetadata: {name: web}\nspec:\n  type: NodePort # one day\n  ports: [{port: 80}]\n",
  },
  {
    code: "KT401",
    name: "the Service that was meant",
    text: ingress("", OF_CLASS, "{name: wbe, port: {number: 80}}") + SERVICE,
    gives: ingress("", OF_CLASS, GOOD) + SERVICE,
  },
  {
    code: "KT402",
    name: "the Service's port",
    text: ingress("", OF_CLASS, "{name: web, port: {number: 8080}}") + SERVICE,
    gives: ingress("", OF_CLASS, GOOD) + SERVICE,
  },
  {
    code: "KT402",
    name: "the name of the Service's port",
    text: ingress("", OF_CLASS, "{name: web, port: {name: htttp}}") + SERVICE,
    gives: ingress("", OF_CLASS, "{name: web, port: {name: http}}") + SERVICE,
  },
  {
    code: "KT403",
    name: "the only class there is",
    text: ingress("", "", GOOD) + SERVICE + CLASS,
    gives: ingress("", OF_CLASS, GOOD) + SERVICE + CLASS,
  },
  {
    code: "KT408",
    name: "a path without a type",
    text: ingress("", OF_CLASS, GOOD, "") + SERVICE,
    gives: ingress("", OF_CLASS, GOOD, "").replace("- path: /", "- pathType: ImplementationSpecific\n            path: /") + SERVICE,
  },
  {
    code: "KT412",
    name: "the backend's protocol",
    text: ingress("", OF_CLASS, GOOD) + SERVICE.replace("name: http, port: 80", "port: 80, appProtocol: https"),
    gives:
      ingress("", OF_CLASS, GOOD).replace(
        "metadata:\n",
        "metadata:\n  annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}\n",
      ) + SERVICE.replace("name: http, port: 80", "port: 80, appProtocol: https"),
  },
  {
    code: "KT413",
    name: "the annotation that was meant, and the number without its unit",
    text:
      ingress(
        "  annotations:\n    nginx.ingress.kubernetes.io/rewrite-targets: /\n    nginx.ingress.kubernetes.io/proxy-read-timeout: 60s\n",
        OF_CLASS,
        GOOD,
      ) + SERVICE,
    gives:
      ingress(
        '  annotations:\n    nginx.ingress.kubernetes.io/rewrite-target: /\n    nginx.ingress.kubernetes.io/proxy-read-timeout: "60"\n',
        OF_CLASS,
        GOOD,
      ) + SERVICE,
  },
];

for (const { code, name, text, gives, topology } of rows)
  test(`${code}: ${name}`, () => {
    assert.equal(judge(code, text, topology).fixed, gives);
    assert.deepEqual(
      judge(code, gives, topology).findings.map(({ message }) => message),
      [],
    );
  });
