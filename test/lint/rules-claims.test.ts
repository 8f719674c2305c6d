/** What the rules about input and Services say, and where they keep silent: a row reads as a claim. Their own examples are in rules.test.ts. */
import assert from "node:assert/strict";
import test from "node:test";
import { judge } from "./lint-text.ts";

const svc = (name: string, spec: string, more = ""): string =>
  `kind: Service\napiVersion: v1\nmetadata: {name: ${name}${more}}\nspec: ${spec}\n`;
const pod = (name: string, labels: string, ports: string, more = "", meta = ""): string =>
  `kind: Pod\napiVersion: v1\nmetadata: {name: ${name}, labels: ${labels}${meta}}\nspec: {${more}containers: [{name: c, image: x${ports === "" ? "" : `, ports: ${ports}`}}]}\n`;
const dep = (name: string, labels: string, ports: string, replicas = 1, more = ""): string =>
  `kind: Deployment\napiVersion: apps/v1\nmetadata: {name: ${name}}\nspec: {replicas: ${replicas}, selector: {matchLabels: ${labels}}, template: {metadata: {labels: ${labels}}, spec: {${more}containers: [{name: c, image: x${ports === "" ? "" : `, ports: ${ports}`}}]}}}\n`;
const all = (...documents: readonly string[]): string => documents.join("---\n");
const TWO = "{nodes: [{name: n1}, {name: n2}]}";

type Row = {
  readonly code: string;
  readonly name: string;
  readonly text: string;
  readonly topology?: string;
  readonly says: readonly string[];
};
const rows: readonly Row[] = [
  {
    code: "KT001",
    name: "tabs and templates",
    text: "kind: Service\n\tapiVersion: v1\n",
    says: ["error 2:1 a tab in the indentation; YAML allows only spaces"],
  },
  {
    code: "KT001",
    name: "a broken document leaves the others alone",
    text: all("a: [\n", svc("web", "{ports: [{port: 80}]}")),
    says: ["error 2:1 a bracket or quote that is not closed before this line, which is indented too little to belong to it"],
  },
  {
    code: "KT003",
    name: "a boolean that is one, and a number that stays what it is, are plain mistakes",
    text: svc("web", "{selector: {a: true, b: 8080}, ports: [{port: 80}]}"),
    says: [],
  },
  {
    code: "KT003",
    name: "yes, 1e3 and hexadecimal",
    text: svc("web", "{selector: {a: yes, b: 1e3, c: 0x1F}, ports: [{port: 80}]}"),
    says: [
      "error 4:22 Service default/web: spec.selector.a is text, but kubectl reads yes as the boolean true",
      "error 4:30 Service default/web: spec.selector.b is text, but kubectl reads 1e3 as the number 1000",
      "error 4:38 Service default/web: spec.selector.c is text, but kubectl reads 0x1F as the number 31",
    ],
  },
  {
    code: "KT003",
    name: "quoted, or in a field that wants a number",
    text: svc("web", '{selector: {a: "on"}, ports: [{port: 0x50}]}'),
    says: [],
  },
  {
    code: "KT004",
    name: "what the release still serves",
    text: "kind: Ingress\napiVersion: extensions/v1beta1\nmetadata: {name: web}\nspec: {backend: {serviceName: web, servicePort: 80}}\n",
    topology: '{kubernetes: {version: "1.17"}}',
    says: [],
  },
  {
    code: "KT004",
    name: "a CronJob of v1beta1",
    text: "kind: CronJob\napiVersion: batch/v1beta1\nmetadata: {name: c}\nspec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}\n",
    says: ["error 2:13 CronJob default/c: Kubernetes 1.36 does not serve batch/v1beta1 any more"],
  },
  {
    code: "KT005",
    name: "the same in its time",
    text: "kind: Ingress\napiVersion: extensions/v1beta1\nmetadata: {name: web}\nspec: {backend: {serviceName: web, servicePort: 80}}\n",
    topology: '{kubernetes: {version: "1.17"}}',
    says: ["info 2:13 Ingress default/web: extensions/v1beta1 is deprecated since 1.14, and gone in 1.22"],
  },
  {
    code: "KT005",
    name: "externalIPs from 1.36, loadBalancerIP from 1.24",
    text: svc("web", "{type: LoadBalancer, loadBalancerIP: 192.0.2.1, externalIPs: [192.0.2.2], ports: [{port: 80}]}"),
    says: [
      "info 4:44 Service default/web: loadBalancerIP is deprecated since 1.24, and each balancer reads it its own way",
      "info 4:68 Service default/web: externalIPs is deprecated since 1.36: anyone who may write a Service could take any address with it",
    ],
  },
  {
    code: "KT005",
    name: "not yet in 1.20",
    text: svc("web", "{type: LoadBalancer, loadBalancerIP: 192.0.2.1, externalIPs: [192.0.2.2], ports: [{port: 80}]}"),
    topology: '{kubernetes: {version: "1.20"}}',
    says: [],
  },
  {
    code: "KT005",
    name: "Endpoints that a controller wrote",
    text: "kind: Endpoints\napiVersion: v1\nmetadata: {name: web, uid: 1-2}\nsubsets: []\n",
    says: [],
  },
  {
    code: "KT006",
    name: "down in a pod, each at its place",
    text: dep("web", "{app: web}", "[{containerport: 80}]", 1, "hostnetwork: true, "),
    says: [
      'error 4:121 Deployment default/web: spec.template.spec has no key "hostnetwork"',
      'error 4:184 Deployment default/web: spec.template.spec.containers[0].ports[0] has no key "containerport"',
    ],
  },
  {
    code: "KT006",
    name: "maps, volumes and status hold anything",
    text: "kind: Pod\napiVersion: v1\nmetadata: {name: p, labels: {any-thing: x}, annotations: {b: c}}\nspec: {nodeSelector: {d: e}, volumes: [{name: v, hostPath: {path: /, what: ever}}], containers: [{name: c, image: x, resources: {limits: {own.io/gpu: 1}}}]}\nstatus: {own: thing}\n",
    says: [],
  },
  {
    code: "KT006",
    name: "an older apiVersion's fields are not known",
    text: "kind: Ingress\napiVersion: extensions/v1beta1\nmetadata: {name: web}\nspec: {backend: {serviceName: web, servicePort: 80}}\n",
    says: [],
  },
  {
    code: "KT006",
    name: "a NetworkPolicy's",
    text: "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: p}\nspec: {podselector: {}, ingress: [{form: [{podSelector: {}}]}]}\n",
    says: [
      'error 4:21 NetworkPolicy default/p: spec has no key "podselector"',
      'error 4:42 NetworkPolicy default/p: spec.ingress[0] has no key "form"',
    ],
  },
  { code: "KT006", name: "topologyKeys are KT115's", text: svc("web", "{topologyKeys: ['*'], ports: [{port: 80}]}"), says: [] },
  {
    code: "KT007",
    name: "one name in two namespaces, or of two kinds",
    text: all(
      svc("web", "{ports: [{port: 80}]}"),
      svc("web", "{ports: [{port: 80}]}", ", namespace: kube-system"),
      dep("web", "{app: web}", ""),
    ),
    says: [],
  },
  {
    code: "KT007",
    name: "default is a namespace too",
    text: all(svc("web", "{ports: [{port: 80}]}"), svc("web", "{ports: [{port: 81}]}", ", namespace: default")),
    says: ["error 8:18 Service default/web is written twice: this one stands"],
  },
  {
    code: "KT008",
    name: "enums, forms and ranges in the server's words",
    text: all(
      svc("Web", "{type: Nodeport, ports: [{port: 80}]}"),
      "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}\n",
    ),
    says: [
      'error 4:14 Service default/Web: spec.type: Unsupported value: "Nodeport": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      "error 9:64 NetworkPolicy default/p: spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
    ],
  },
  {
    code: "KT008",
    name: "not what other rules say better",
    text: all(
      svc("a", "{ports: [{port: 80, targetPort: '80'}]}"),
      svc("b", "{ports: [{port: 80}, {port: 81}]}"),
      svc("c", "{externalTrafficPolicy: Local, ports: [{port: 80}]}"),
      svc("d", "{selector: {a: on}, ports: [{port: 80}]}"),
      svc("e", "{clusterIP: 10.96.01.1, ports: [{port: 80}]}"),
    ),
    says: [],
  },
  {
    code: "KT008",
    name: "a document that is no object, and a kind that is none",
    text: "kind: Service\nmetadata: {name: a}\n---\nkind: Servise\napiVersion: v1\nmetadata: {name: a}\n",
    says: ['error 1:1 kind is "Service", but apiVersion is missing', 'error 4:7 Kubernetes has no kind "Servise"'],
  },
  {
    code: "KT009",
    name: "host bits before 1.36 are only a warning",
    text: svc("web", "{type: LoadBalancer, loadBalancerSourceRanges: [10.1.2.3/8], ports: [{port: 80}]}"),
    topology: '{kubernetes: {version: "1.30"}}',
    says: [
      'warning 4:55 Service default/web: spec.loadBalancerSourceRanges[0] "10.1.2.3/8" must not have bits set beyond the prefix length',
    ],
  },
  {
    code: "KT010",
    name: "one finding a namespace; known ones are not meant",
    text: all(
      svc("a", "{ports: [{port: 80}]}", ", namespace: shpo"),
      svc("b", "{ports: [{port: 80}]}", ", namespace: shpo"),
      svc("c", "{ports: [{port: 80}]}", ", namespace: kube-system"),
      "kind: Namespace\napiVersion: v1\nmetadata: {name: shop}\n",
    ),
    says: ["warning 3:32 no manifest defines the namespace shpo, which Service shpo/a and 1 more object are in"],
  },
  {
    code: "KT010",
    name: "what a server returned is in a namespace that exists",
    text: svc("a", "{ports: [{port: 80}]}", ", namespace: prod, uid: 1-2"),
    says: [],
  },
  {
    code: "KT101",
    name: "a Job's pods, and pods that only an EndpointSlice shows",
    text: all(
      svc("job", "{selector: {job: a}, ports: [{port: 80}]}"),
      "kind: Job\napiVersion: batch/v1\nmetadata: {name: a}\nspec: {template: {metadata: {labels: {job: a}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n",
      svc("live", "{selector: {app: live}, ports: [{port: 80}]}"),
      "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: live-1, labels: {kubernetes.io/service-name: live, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}\naddressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: [10.244.1.9]}]\n",
    ),
    says: [],
  },
  {
    code: "KT101",
    name: "an operator may make the pods from a custom resource that the selector names",
    text: all(
      svc("prom", "{selector: {app: prometheus, prometheus: k8s}, ports: [{port: 9090}]}"),
      "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata:\n  labels: {a: b}\n  name: k8s\n",
    ),
    says: ["warning 4:18 Service default/prom: no pod carries app: prometheus, prometheus: k8s"],
  },
  {
    code: "KT008",
    name: "a number out of range is said once; the node port beside it is KT120's",
    text: svc("web", "{ports: [{port: 70000, nodePort: 31000}]}"),
    says: ["error 4:23 Service default/web: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"],
  },
  {
    code: "KT102",
    name: "pods that run on no node",
    text: all(
      dep("web", "{app: web}", "[{containerPort: 80}]", 2, "nodeSelector: {disk: ssd}, "),
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: TWO,
    says: [
      "error 9:18 Service default/web has no ready endpoint: all 2 pods are Pending: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    ],
  },
  {
    code: "KT102",
    name: "pods that a dump says are not ready",
    text: all(
      pod("web", "{app: web}", "[{containerPort: 80}]") +
        "status: {phase: Running, podIP: 10.244.0.5, conditions: [{type: Ready, status: 'False'}]}\n",
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: TWO,
    says: ["error 10:18 Service default/web has no ready endpoint: pod web is not ready"],
  },
  {
    code: "KT102",
    name: "publishNotReadyAddresses makes them endpoints",
    text: all(
      pod("web", "{app: web}", "[{containerPort: 80}]") +
        "status: {phase: Running, podIP: 10.244.0.5, conditions: [{type: Ready, status: 'False'}]}\n",
      svc("web", "{publishNotReadyAddresses: true, selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: TWO,
    says: [],
  },
  {
    code: "KT103",
    name: "a slip of the name, and a name of another protocol",
    text: all(
      dep("web", "{app: web}", "[{name: http, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]"),
      svc("web", "{selector: {app: web}, ports: [{name: a, port: 80, targetPort: htpp}, {name: b, port: 53, targetPort: dns}]}"),
    ),
    says: ['error 9:70 Service default/web port 80: targetPort "htpp" names no port of the pods of Deployment web'],
  },
  {
    code: "KT103",
    name: "a sidecar's port counts",
    text: all(
      `kind: Pod\napiVersion: v1\nmetadata: {name: web, labels: {app: web}}\nspec: {initContainers: [{name: s, image: x, restartPolicy: Always, ports: [{name: proxy, containerPort: 81}]}], containers: [{name: c, image: x}]}\n`,
      svc("web", "{selector: {app: web}, ports: [{port: 80, targetPort: proxy}]}"),
    ),
    says: [],
  },
  {
    code: "KT104",
    name: "one name, two numbers",
    text: all(
      dep("web", "{app: web}", "[{name: http, containerPort: 80}]"),
      pod("web-new", "{app: web}", "[{name: http, containerPort: 8080}]"),
      svc("web", "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
    ),
    says: ["info 14:61 Service default/web port 80: http is 80 in Deployment web and 8080 in Pod web-new"],
  },
  {
    code: "KT104",
    name: "a workload scaled to nothing is no part",
    text: all(
      dep("web", "{app: web}", "[{name: http, containerPort: 80}]"),
      dep("old", "{app: web, v: '1'}", "[{containerPort: 80}]", 0),
      svc("web", "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
    ),
    says: [],
  },
  {
    code: "KT105",
    name: "pods that declare nothing say nothing",
    text: all(dep("web", "{app: web}", ""), svc("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    says: [],
  },
  {
    code: "KT105",
    name: "a probe's port counts, a topology's listens too",
    text: all(
      "kind: Pod\napiVersion: v1\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: c, image: x, ports: [{containerPort: 9000}], readinessProbe: {tcpSocket: {port: 80}}}]}\n",
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
      pod("db", "{app: db}", "[{containerPort: 9000}]"),
      svc("db", "{selector: {app: db}, ports: [{port: 5432}]}"),
    ),
    topology: "{pods: [{name: default/db, listens: [{port: 5432}]}]}",
    says: [],
  },
  {
    code: "KT105",
    name: "certain when the topology says what listens",
    text: all(pod("db", "{app: db}", "[{containerPort: 9000}]"), svc("db", "{selector: {app: db}, ports: [{port: 5432}]}")),
    topology: "{pods: [{name: default/db, listens: [{port: 9000}]}]}",
    says: ["error 9:44 Service default/db port 5432: the pods of Pod db declare 9000/TCP, not 5432"],
  },
  {
    code: "KT105",
    name: "headless: nothing is sent to a target port",
    text: all(
      pod("db", "{app: db}", "[{containerPort: 9000}]"),
      svc("db", "{clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}"),
    ),
    says: [],
  },
  {
    code: "KT107",
    name: "DNS over TCP that nobody declared is less sure",
    text: all(
      pod("dns", "{app: dns}", "[{containerPort: 53, protocol: UDP}]"),
      svc("dns", "{selector: {app: dns}, ports: [{name: u, port: 53, protocol: UDP}, {name: t, port: 53}]}"),
    ),
    says: ["warning 9:90 Service default/dns port 53/TCP: the pods' port is 53/UDP"],
  },
  {
    code: "KT107",
    name: "both protocols are declared",
    text: all(
      pod("dns", "{app: dns}", "[{containerPort: 53, protocol: UDP}, {containerPort: 53}]"),
      svc("dns", "{selector: {app: dns}, ports: [{name: u, port: 53, protocol: UDP}, {name: t, port: 53}]}"),
    ),
    says: [],
  },
  {
    code: "KT108",
    name: "two applications of one tier",
    text: all(
      dep("cart", "{app: cart, tier: back}", "[{containerPort: 80}]"),
      dep("order", "{app: order, tier: back}", "[{containerPort: 80}]"),
      svc("back", "{selector: {tier: back}, ports: [{port: 80}]}"),
    ),
    says: ["warning 14:18 Service default/back: the selector tier: back picks pods of Deployment cart and of Deployment order"],
  },
  {
    code: "KT108",
    name: "versions of one application",
    text: all(
      dep("web", "{app: web, track: stable}", "[{containerPort: 80}]"),
      dep("web-canary", "{app: web, track: canary}", "[{containerPort: 80}]"),
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
    ),
    says: [],
  },
  {
    code: "KT108",
    name: "bare pods of one set of labels",
    text: all(pod("a", "{app: web}", ""), pod("b", "{app: web}", ""), svc("web", "{selector: {app: web}, ports: [{port: 80}]}")),
    says: [],
  },
  {
    code: "KT109",
    name: "twice the same port, twice the same name",
    text: svc("web", "{ports: [{name: a, port: 80}, {name: b, port: 80}, {name: a, port: 81}]}"),
    says: ["error 4:37 Service default/web: port 80/TCP stands twice", "error 4:65 Service default/web: two ports are named a"],
  },
  {
    code: "KT110",
    name: "the API server's own address, and that of DNS",
    text: all(
      svc("a", "{clusterIP: 10.96.0.1, ports: [{port: 80}]}"),
      svc("b", "{clusterIP: 10.96.0.10, ports: [{port: 80}]}"),
      svc("kube-dns", "{clusterIP: 10.96.0.10, ports: [{port: 53, protocol: UDP}]}", ", namespace: kube-system"),
    ),
    says: [
      "error 4:19 Service default/a asks for 10.96.0.1, which the API server takes for Service default/kubernetes, the first of 10.96.0.0/12",
      "error 9:19 Service default/b asks for 10.96.0.10, the address at which pods ask for names",
      "error 14:19 Service kube-system/kube-dns asks for 10.96.0.10, which Service default/b has",
    ],
  },
  {
    code: "KT111",
    name: "a range that is assumed makes no error",
    text: svc("web", "{clusterIP: 172.20.0.9, ports: [{port: 80}]}"),
    says: [
      "warning 4:19 Service default/web asks for 172.20.0.9, which the cluster cannot give: its Services have addresses of 10.96.0.0/12",
    ],
  },
  {
    code: "KT111",
    name: "a live Service has its address from the cluster",
    text: svc("web", "{clusterIP: 172.20.0.9, ports: [{port: 80}]}", ", uid: 1-2"),
    says: [],
  },
  {
    code: "KT114",
    name: "a DaemonSet is everywhere; a control plane takes no clients",
    text: all(
      "kind: DaemonSet\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}}\n",
      svc("web", "{internalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: "{nodes: [{name: cp, taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]}, {name: n1}, {name: n2}]}",
    says: [],
  },
  {
    code: "KT115",
    name: "still a field before 1.22",
    text: svc("web", "{topologyKeys: ['*'], ports: [{port: 80}]}"),
    topology: '{kubernetes: {version: "1.20"}}',
    says: [],
  },
  {
    code: "KT115",
    name: "the old annotation beside the new one",
    text: svc(
      "web",
      "{ports: [{port: 80}]}",
      ", annotations: {service.kubernetes.io/topology-aware-hints: auto, service.kubernetes.io/topology-mode: Disabled}",
    ),
    says: [
      "error 3:81 Service default/web: service.kubernetes.io/topology-aware-hints is auto, service.kubernetes.io/topology-mode is Disabled",
    ],
  },
  {
    code: "KT116",
    name: "a slice of a family that the Service lacks",
    text: all(
      svc("db", "{ports: [{port: 80}]}"),
      "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: db-6, labels: {kubernetes.io/service-name: db}}\naddressType: IPv6\nports: [{port: 80}]\nendpoints: [{addresses: ['fd00::9']}]\n",
    ),
    says: ["error 9:14 EndpointSlice default/db-6 lists IPv6 addresses, but Service default/db has IPv4 only"],
  },
  {
    code: "KT116",
    name: "dual-stack where the cluster is",
    text: svc("web", "{ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}"),
    topology: "{kubernetes: {serviceCIDRs: [10.96.0.0/16, 'fd00:96::/112'], podCIDRs: [10.244.0.0/16, 'fd00:244::/56']}}",
    says: [],
  },
  {
    code: "KT117",
    name: "its own alias, a name that is not full, and one that nobody has",
    text: all(
      svc("a", "{type: ExternalName, externalName: a.default.svc.cluster.local}"),
      svc("b", "{type: ExternalName, externalName: web.default.svc}"),
      svc("c", "{type: ExternalName, externalName: wbe.default.svc.cluster.local.}"),
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
    ),
    says: [
      "error 4:42 the aliases lead in a circle: default/a → default/a",
      "error 9:42 Service default/b: externalName web.default.svc is no full name, and none of the search list is tried for an alias",
      "error 14:42 Service default/c: there is no Service default/wbe, which externalName wbe.default.svc.cluster.local leads to",
    ],
  },
  {
    code: "KT117",
    name: "names outside, a pod's name, the API server, another team's namespace",
    text: all(
      svc("a", "{type: ExternalName, externalName: www.example.com}"),
      svc("b", "{type: ExternalName, externalName: web-0.web.default.svc.cluster.local}"),
      svc("c", "{type: ExternalName, externalName: kubernetes.default.svc.cluster.local}"),
      svc("d", "{type: ExternalName, externalName: x.prod.svc.cluster.local}"),
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
    ),
    says: ["warning 19:42 Service default/d: there is no Service prod/x, which externalName x.prod.svc.cluster.local leads to"],
  },
  {
    code: "KT118",
    name: "names with digits are names",
    text: all(svc("a", "{type: ExternalName, externalName: 10.example.com}"), svc("b", "{type: ExternalName, externalName: 192.0.2.1.}")),
    says: ["error 9:42 Service default/b: externalName 192.0.2.1. is an address, and is looked up as a name"],
  },
  {
    code: "KT120",
    name: "what each type does not have",
    text: all(
      svc("a", "{loadBalancerClass: x.io/y, healthCheckNodePort: 30001, ports: [{port: 80}]}"),
      svc("b", "{type: NodePort, clusterIP: None, ports: [{port: 80}]}"),
      svc("c", "{type: ExternalName, externalName: x.example, ipFamilies: [IPv4]}"),
      svc("d", "{type: LoadBalancer, ports: [{port: 10250}]}"),
    ),
    says: [
      "error 4:27 Service default/a: spec.loadBalancerClass may only be used when type is 'LoadBalancer'",
      "error 4:56 Service default/a: spec.healthCheckNodePort may only be set when type is 'LoadBalancer' and externalTrafficPolicy is 'Local'",
      "error 9:35 Service default/b: spec.clusterIP may not be set to 'None' for NodePort services",
      "error 14:65 Service default/c: spec.ipFamilies may not be set for ExternalName services",
      "error 19:43 Service default/d: spec.ports[0].port may not expose port 10250 externally since it is used by kubelet",
    ],
  },
  {
    code: "KT121",
    name: "a port's name that the endpoints do not have",
    text: all(
      svc("db", "{ports: [{name: pg, port: 5432}]}"),
      "kind: Endpoints\napiVersion: v1\nmetadata: {name: db}\nsubsets: [{addresses: [{ip: 192.0.2.9}], ports: [{port: 5432}]}]\n",
    ),
    says: ["error 4:23 Service default/db port 5432 is named pg, but its endpoints have a port without name"],
  },
  {
    code: "KT121",
    name: "a part of a live cluster without its endpoints",
    text: svc("db", "{ports: [{port: 5432}]}", ", uid: 1-2"),
    says: [],
  },
  {
    code: "KT122",
    name: "loopback, refused, and another Service's address",
    text: all(
      svc("db", "{ports: [{port: 5432}]}"),
      "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: db-1, labels: {kubernetes.io/service-name: db}}\naddressType: IPv4\nports: [{port: 5432}]\nendpoints: [{addresses: [10.96.0.77]}]\n",
      "kind: Endpoints\napiVersion: v1\nmetadata: {name: own}\nsubsets: [{addresses: [{ip: 127.0.0.1}], ports: [{port: 5432}]}]\n",
      svc("web", "{clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 5432, targetPort: 80}]}"),
      dep("web", "{app: web}", "[{containerPort: 80}]"),
    ),
    topology: TWO,
    says: [
      "error 11:26 EndpointSlice default/db-1 lists 10.96.0.77 for Service default/db: the address is the cluster address of Service default/web, and kube-proxy translates once",
      "error 16:29 Endpoints default/own: 127.0.0.1 may not be in the loopback range (127.0.0.0/8, ::1/128)",
    ],
  },
  {
    code: "KT122",
    name: "outside machines may be anywhere",
    text: all(
      svc("db", "{ports: [{port: 5432}]}"),
      "kind: Endpoints\napiVersion: v1\nmetadata: {name: db}\nsubsets: [{addresses: [{ip: 192.0.2.9}], ports: [{port: 5432}]}]\n",
    ),
    topology: TWO,
    says: [],
  },
  {
    code: "KT123",
    name: "addresses that ktrace gave out itself prove nothing",
    text: all(
      dep("web", "{app: web}", "[{containerPort: 80}]"),
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}"),
      "kind: Endpoints\napiVersion: v1\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.244.9.9}], ports: [{port: 80}]}]\n",
    ),
    topology: TWO,
    says: [],
  },
  {
    code: "KT123",
    name: "a dump of two moments",
    text: all(
      pod("web", "{app: web}", "[{containerPort: 80}]", "nodeName: n1, ", ", uid: 1-1") +
        "status: {phase: Running, podIP: 10.244.0.5, conditions: [{type: Ready, status: 'True'}]}\n",
      svc("web", "{selector: {app: web}, ports: [{port: 80}]}", ", uid: 1-2"),
      "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: web-1, uid: 1-3, labels: {kubernetes.io/service-name: web, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}\naddressType: IPv4\nports: [{port: 81}]\nendpoints: [{addresses: [10.244.0.6], nodeName: n1}]\n",
    ),
    topology:
      "{kubernetes: {podCIDRs: [10.244.0.0/16]}, nodes: [{name: n1, podCIDRs: [10.244.0.0/24]}, {name: n2, podCIDRs: [10.244.1.0/24]}]}",
    says: ["warning 17:26 EndpointSlice default/web-1 lists 10.244.0.6, which no pod has and lists port 81 where the Service sends to 80"],
  },
  {
    code: "KT113",
    name: "one balancer that hands connections to two nodes",
    text: all(
      dep("web", "{app: web}", "[{containerPort: 80}]", 2),
      svc("web", "{type: LoadBalancer, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: "{nodes: [{name: n1}, {name: n2}], hosts: [{name: c}], loadBalancers: [{name: lb, pool: [192.0.2.0/28], forward: nodePort}]}",
    says: [
      "warning 9:45 Service default/web: sessionAffinity does not do what it says: the balancer hands each connection to any node: a client's next one reaches the same pod in 3/4 of all cases",
    ],
  },
  {
    code: "KT113",
    name: "a balancer that connects itself",
    text: all(
      dep("web", "{app: web}", "[{containerPort: 80}]", 2),
      svc("web", "{type: LoadBalancer, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology:
      "{nodes: [{name: n1}, {name: n2}], hosts: [{name: c}], loadBalancers: [{name: lb, pool: [192.0.2.0/28], forward: nodePort, sources: [10.9.9.9/24]}]}",
    says: [
      "warning 9:45 Service default/web: sessionAffinity does not do what it says: the balancer lb connects in its own name: to kube-proxy all clients are one",
    ],
  },
  {
    code: "KT113",
    name: "one pod is the same pod every time",
    text: all(
      dep("web", "{app: web}", "[{containerPort: 80}]", 1),
      svc("web", "{type: LoadBalancer, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80}]}"),
    ),
    topology: "{nodes: [{name: n1}, {name: n2}], hosts: [{name: c}], loadBalancers: [{name: lb, pool: [192.0.2.0/28], forward: nodePort}]}",
    says: [],
  },
];

for (const { code, name, text, topology, says } of rows)
  test(`${code}: ${name}`, () => {
    const { findings } = judge(code, text, topology);
    assert.deepEqual(
      findings.map(({ severity, at, message }) => `${severity} ${at.line}:${at.column} ${message}`),
      says,
    );
  });
