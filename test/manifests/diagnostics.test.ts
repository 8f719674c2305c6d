import assert from "node:assert/strict";
import { test } from "node:test";
import { readInput } from "../../src/manifests/input.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { format, workspace } from "./workspace.ts";

/** A namespace beside the trouble: whatever is broken, the rest is read. */
const REST = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: rest}\n";

const cases: readonly { readonly name: string; readonly text: string; readonly says: readonly string[]; readonly file?: string }[] = [
  {
    name: "wrong types, values and missing fields of a Service",
    text: 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  clusterIP: 10.96.010.10\n  ports:\n  - {port: "eighty", protocol: tcp}\n  - {targetPort: 80}\n  - {port: 70000, nodePort: "31160"}\n',
    says: [
      'a.yaml:5:14 error KT009 Service default/web: spec.clusterIP: Invalid value: "10.96.010.10": must not have leading 0s\n  write each number without leading zeros: some programs read them as octal; the API server refuses the Service, so it is left out',
      'a.yaml:7:12 error KT008 Service default/web: spec.ports[0].port must be a whole number, not the text "eighty" (json: cannot unmarshal string into Go value of type int32)\n  write a whole number, in digits and without quotes; the API server refuses the Service, so it is left out',
      'a.yaml:7:32 error KT008 Service default/web: spec.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"\n  did you mean TCP?; the API server refuses the Service, so it is left out',
      "a.yaml:8:5 error KT008 Service default/web: spec.ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive\n  write a port number of that range; the API server refuses the Service, so it is left out",
      "a.yaml:9:12 error KT008 Service default/web: spec.ports[2].port: Invalid value: 70000: must be between 1 and 65535, inclusive\n  write a port number of that range; the API server refuses the Service, so it is left out",
      'a.yaml:9:29 error KT008 Service default/web: spec.ports[2].nodePort must be a whole number, not the text "31160" (json: cannot unmarshal string into Go value of type int32)\n  remove the quotes: 31160; the API server refuses the Service, so it is left out',
    ],
  },
  {
    name: "labels that YAML reads as something else",
    text: "apiVersion: v1\nkind: Namespace\nmetadata: {name: web, labels: {canary: on, version: 1.20}}\n",
    says: [
      "a.yaml:3:40 error KT008 Namespace web: metadata.labels.canary must be text, not true (json: cannot unmarshal bool into Go value of type string)\n  put it in quotes: without, y, n, yes, no, on, off, true and false are no text; the API server refuses the Namespace, so it is left out",
      "a.yaml:3:53 error KT008 Namespace web: metadata.labels.version must be text, not 1.2 (json: cannot unmarshal number into Go value of type string)\n  put it in quotes; the API server refuses the Namespace, so it is left out",
    ],
  },
  {
    name: "a mapping for a list",
    text: "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: {port: 80}}\n",
    says: [
      "a.yaml:4:15 error KT008 Service default/web: spec.ports must be a list, not a mapping\n  begin each member with `- `; the API server refuses the Service, so it is left out",
    ],
  },
  {
    name: "no name",
    text: "apiVersion: v1\nkind: Service\nmetadata: {namespace: shop}\nspec: {}\n",
    says: [
      "a.yaml:3:11 error KT008 Service: metadata.name: Required value: name or generateName is required\n  add name; the API server refuses the Service, so it is left out",
    ],
  },
  {
    name: "a selector forgotten",
    text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: []}}}\n",
    says: [
      "a.yaml:4:7 error KT008 Deployment default/web: spec.selector: Required value\n  add a selector with the labels of the pod template; the API server refuses the Deployment, so it is left out",
    ],
  },
  {
    name: "a misspelled kind",
    text: "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: web}\n",
    says: ['a.yaml:2:7 error KT008 Kubernetes has no kind "Deploymnet"\n  did you mean Deployment?'],
  },
  {
    name: "a kind in small letters, in flow style",
    text: "{apiVersion: v1, kind: service, metadata: {name: web}}\n",
    says: ['a.yaml:1:24 error KT008 Kubernetes has no kind "service"\n  did you mean Service?'],
  },
  {
    name: "a kind in the wrong group",
    text: "apiVersion: v1\nkind: Ingress\nmetadata: {name: web}\n",
    says: ['a.yaml:1:13 error KT008 Ingress is not in apiVersion "v1"\n  write apiVersion: networking.k8s.io/v1'],
  },
  {
    name: "no apiVersion",
    text: "kind: Service\nmetadata: {name: web}\n",
    says: ['a.yaml:1:1 error KT008 kind is "Service", but apiVersion is missing\n  add apiVersion: v1; kubectl refuses the document'],
  },
  {
    name: "no object at all",
    text: "replicas: 3\n",
    says: [
      "a.yaml:1:1 error KT008 no Kubernetes object: it has neither apiVersion nor kind\n  a manifest begins with `apiVersion:` and `kind:`; kubectl refuses the document",
    ],
  },
  {
    name: "kinds of networking that are not modelled, once each",
    text: "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: b}\n",
    says: ["a.yaml:2:7 info not-modelled CiliumNetworkPolicy (cilium.io/v2) is not modelled: 2 objects were passed over"],
  },
  {
    name: "other kinds, not a word",
    text: "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: [}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\n---\napiVersion: example.com/v1\nkind: Nodes\nmetadata: {name: a}\n",
    says: [],
  },
  {
    name: "one name twice",
    text: "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec: {type: ClusterIP}\n---\napiVersion: v1\nkind: Service\nmetadata: {namespace: default, name: web}\nspec: {}\n",
    says: [
      "a.yaml:9:38 warning KT007 Service default/web is defined twice; this one stands, the one at a.yaml:4:9 does not\n  remove one, or give it another name or namespace",
    ],
  },
  {
    name: "one key twice",
    text: "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: a}\n  type: NodePort\n  selector: {app: b}\n",
    says: ['a.yaml:7:3 warning KT002 the key "selector" stands twice in one mapping; the last one counts\n  remove one of them'],
  },
  {
    name: "tabs",
    text: "apiVersion: v1\nkind: Service\nmetadata:\n\tname: web\n",
    says: ["a.yaml:4:1 error KT001 a tab in the indentation; YAML allows only spaces\n  replace the tab by spaces"],
  },
  {
    name: "a wildcard host without quotes",
    text: "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  rules:\n  - host: *.test.com\n",
    says: [
      'a.yaml:6:11 error KT001 unidentified alias ".test.com"\n  a text that begins with * must be quoted; else define the anchor (&name) above it, in the same document',
    ],
  },
  {
    name: "a Helm template",
    text: "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n",
    says: [
      "a.yaml:4:10 error KT001 a key must be text, not a list or a mapping\n  this looks like a Helm template; render it first: `helm template CHART | ktrace -f - …`",
    ],
  },
  {
    name: "a kustomization",
    file: "kustomization.yaml",
    text: "resources: [a.yaml]\n",
    says: ["k8s/kustomization.yaml:1:1 warning needs-rendering a kustomization is not applied\n  kubectl kustomize k8s | ktrace -f - …"],
  },
];
for (const { name, text, says, file = "a.yaml" } of cases) {
  test(name, (t) => {
    const inDirectory = file !== "a.yaml";
    const files = inDirectory ? { [`k8s/${file}`]: text, "k8s/rest.yaml": REST } : { "a.yaml": `${text}${REST}` };
    const { objects, diagnostics } = readInput({ files: [inDirectory ? "k8s" : "a.yaml"], cwd: workspace(t, files) });
    assert.deepEqual(diagnostics.map(format), says);
    assert.equal(objects.at(-1)?.metadata.name, "rest");
  });
}

const encodings: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "binary",
    new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
    "a.yaml:1:1 error KT001 the file is binary, no YAML and no JSON\n  leave it out",
  ],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x61, 0]), "a.yaml:1:1 error KT001 the file is UTF-16\n  save it as UTF-8"],
  ["Latin-1", new Uint8Array([0x61, 0x3a, 0x20, 0xe4, 0x0a]), "a.yaml:1:1 error KT001 the file is not UTF-8\n  save it as UTF-8"],
];
for (const [name, bytes, says] of encodings) {
  test(`a file that is ${name}`, (t) => {
    const cwd = workspace(t, { "a.yaml": bytes, "b.yaml": REST });
    assert.deepEqual(readInput({ files: ["a.yaml", "b.yaml"], cwd }).diagnostics.map(format), [says]);
  });
}

test("a file that was not named may hold no objects", (t) => {
  const cwd = workspace(t, { "k8s/values.yaml": "replicas: 3\n", "k8s/a.yaml": REST });
  assert.deepEqual(readInput({ files: ["k8s"], cwd }).diagnostics.map(format), [
    "k8s/values.yaml:1:1 info KT008 no Kubernetes object: it has neither apiVersion nor kind\n  it was passed over",
  ]);
});

test("a topology says all that is wrong with it", (t) => {
  const text =
    "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec:\n  kubernetes: {version: 1.30, podCIDR: 10.0.0.0/8}\n  kubeProxy: {mode: nftable}\n  nodes:\n  - {name: a, interfaces: [{name: eth0, addresses: [10.0.2.4]}]}\n";
  const cwd = workspace(t, { "t.yaml": text });
  const says = [
    "t.yaml:4:25 error KT008 topology: spec.kubernetes.version must be text, not 1.3\n  put it in quotes",
    't.yaml:4:40 error KT006 topology: spec.kubernetes has no key "podCIDR"\n  did you mean podCIDRs?',
    't.yaml:5:21 error KT008 topology: spec.kubeProxy.mode is the text "nftable", which is none of iptables, nftables, ipvs, userspace, none\n  did you mean nftables?',
    't.yaml:7:53 error KT008 topology: spec.nodes[0].interfaces[0].addresses[0] is the text "10.0.2.4", which is not an address with its prefix length, such as 10.0.2.5/24\n  add the length of its network, for example 10.0.2.4/24',
  ];
  assert.throws(
    () => readInput({ files: [], topology: "t.yaml", cwd }),
    (error) => {
      assert.ok(error instanceof UsageError);
      assert.deepEqual(error.diagnostics.map(format), says);
      return true;
    },
  );
});

test("a topology's names must lead to one machine, and its pins to a node", (t) => {
  const text =
    "apiVersion: ktrace.dev/v1alpha1\nkind: Topology\nspec:\n  nodes:\n  - {name: node1}\n  - {name: node2, aliases: [node1], interfaces: [{name: eth0}, {name: eth0}]}\n  pods: [{name: nginx, node: nod1}]\n";
  const cwd = workspace(t, { "t.yaml": text });
  const says = [
    't.yaml:6:29 error KT008 topology: two nodes answer to the name "node1"\n  names and aliases must differ',
    't.yaml:6:71 error KT008 topology: "node2" has two interfaces "eth0"\n  give one another name, or put all addresses in one list',
    't.yaml:7:17 error KT008 topology: the pod "nginx" has no namespace\n  write "default/nginx"',
    't.yaml:7:30 error KT008 topology: "nginx" is pinned to "nod1", which is no node\n  did you mean node1?',
  ];
  assert.throws(
    () => readInput({ files: [], topology: "t.yaml", cwd }),
    (error) => {
      assert.ok(error instanceof UsageError);
      assert.deepEqual(error.diagnostics.map(format), says);
      return true;
    },
  );
});
