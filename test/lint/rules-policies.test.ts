/** What the rules about NetworkPolicies say beyond their own examples, and where they keep silent. */

import { KT508 } from "../../src/lint/rules/policy-and-or-confusion.ts";
import { KT503 } from "../../src/lint/rules/policy-blocks-dns.ts";
import { KT504 } from "../../src/lint/rules/policy-blocks-ingress-controller.ts";
import { KT509 } from "../../src/lint/rules/policy-ipblock-covers-cluster.ts";
import { KT502 } from "../../src/lint/rules/policy-peer-matches-nothing.ts";
import { KT506 } from "../../src/lint/rules/policy-port-is-service-port.ts";
import { KT512 } from "../../src/lint/rules/policy-protocol-default.ts";
import { KT501 } from "../../src/lint/rules/policy-selects-no-pods.ts";
import { KT507 } from "../../src/lint/rules/policy-types-mismatch.ts";
import { runCases } from "./cases.ts";

const policy = (spec: string, name = "p"): string =>
  `kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const NGINX = "podSelector: {matchLabels: {app: nginx}}";
const TOMCAT = "podSelector: {matchLabels: {app: tomcat6}}";
const WEB = "podSelector: {matchLabels: {app: web}}";

runCases([
  {
    name: "a slip, and what was meant",
    rule: KT501,
    manifests: policy("{podSelector: {matchLabels: {app: wbe}}}"),
    says: ["warning wbe: NetworkPolicy default/p guards nothing: no pod of default carries app: wbe"],
    writes: ["web"],
  },
  { name: "a policy for all pods waits for some", rule: KT501, manifests: policy("{podSelector: {}}"), says: [] },
  {
    name: "the pods are in another namespace",
    rule: KT502,
    manifests: policy(`{${WEB}, ingress: [{from: [{podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]}`),
    says: ["warning {matchLabels: {k8s-app: kube-dns}}: NetworkPolicy default/p: no pod of default carries k8s-app: kube-dns"],
  },
  {
    name: "a namespace of another team is not known, and not wrong",
    rule: KT502,
    manifests: policy(`{${WEB}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}]}`),
    says: [],
  },
  { name: "who may send nothing needs no names", rule: KT503, manifests: policy(`{${NGINX}, policyTypes: [Egress]}`), says: [] },
  {
    name: "a block for the world holds the DNS pods too",
    rule: KT503,
    manifests: policy(`{${NGINX}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}, {to: [{${TOMCAT}}]}]}`),
    says: [],
  },
  {
    name: "nobody enforces it",
    rule: KT503,
    manifests: policy(`{${NGINX}, policyTypes: [Egress], egress: [{to: [{${TOMCAT}}]}]}`),
    topology: "cni: {plugin: flannel}",
    says: [],
  },
  {
    name: "TCP alone is not enough",
    rule: KT503,
    manifests: policy(
      `{${NGINX}, policyTypes: [Egress], egress: [{to: [{${TOMCAT}}]}, {to: [{namespaceSelector: {}}], ports: [{port: 53}]}]}`,
    ),
    says: [
      `error [{to: [{${TOMCAT}}]}, {to: [{namespaceSelector: {}}], ports: [{port: 53}]}]: Pod default/nginx may not ask the DNS: of NetworkPolicy default/p no egress rule holds the pods behind Service kube-system/kube-dns at UDP 53, though TCP passes`,
    ],
  },
  {
    name: "the nodes' own addresses are let in, whatever the tunnel shows: not sure, so silent",
    rule: KT504,
    manifests: policy(`{${TOMCAT}, ingress: [{from: [{ipBlock: {cidr: 10.0.2.0/24}}]}]}`),
    says: [],
  },
  {
    name: "the pods' port stands beside the Service's",
    rule: KT506,
    manifests: policy(`{${TOMCAT}, ingress: [{ports: [{port: 80}, {port: 8080}]}]}`),
    says: [],
  },
  {
    name: "of a client's egress",
    rule: KT506,
    manifests: policy(`{${NGINX}, policyTypes: [Egress], egress: [{to: [{${TOMCAT}}], ports: [{port: 80}]}]}`),
    says: [
      "error 80: NetworkPolicy default/p lets through port 80, which is the port of Service default/tomcat6: the pods of Deployment default/tomcat6 get its packets at 8080",
    ],
    writes: ["8080"],
  },
  {
    name: "a port that no Service has is somebody's own",
    rule: KT506,
    manifests: policy(`{${TOMCAT}, ingress: [{ports: [{port: 9100}]}]}`),
    says: [],
  },
  {
    name: "Egress that is listed, and nothing allowed",
    rule: KT507,
    manifests: policy(`{${WEB}, policyTypes: [Ingress, Egress], ingress: [{}]}`),
    says: ["warning Egress: NetworkPolicy default/p lists Egress and has no egress rule: the pods may send nothing, not even to the DNS"],
  },
  {
    name: "a name that says so",
    rule: KT507,
    manifests: policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "default-deny-all"),
    says: [],
  },
  {
    name: "a brace too many",
    rule: KT507,
    manifests: policy("{podSelector: {}, ingress: [{}]}", "default-deny"),
    says: ["warning [{}]: NetworkPolicy default/default-deny: `ingress: [{}]` lets everything pass"],
    writes: ["[]"],
  },
  {
    name: "the two peers become one",
    rule: KT508,
    manifests: policy(`{${WEB}, ingress: [{from: [{namespaceSelector: {}}, {podSelector: {matchLabels: {app: gone}}}]}]}`),
    says: [
      "warning {podSelector: {matchLabels: {app: gone}}}: NetworkPolicy default/p: every pod of every namespace may pass, whatever its labels: the podSelector app: gone is a peer of its own, and looks into default only",
    ],
    writes: ["podSelector: {matchLabels: {app: gone}}"],
  },
  {
    name: "where own pods match, two alternatives are meant",
    rule: KT508,
    manifests: policy(`{${WEB}, ingress: [{from: [{namespaceSelector: {}}, {${WEB}}]}]}`),
    says: [],
  },
  {
    name: "the world holds the pods that other rules pick out",
    rule: KT509,
    manifests: policy(`{${WEB}, policyTypes: [Egress], egress: [{to: [{${TOMCAT}}]}, {to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}`),
    says: [
      "warning 0.0.0.0/0: NetworkPolicy default/p: 0.0.0.0/0 holds all pods as well (10.244.0.0/16), so the other egress rules' podSelectors make no difference",
    ],
    writes: ["except: [10.244.0.0/16]"],
  },
  {
    name: "everything, and nothing else: that is meant",
    rule: KT509,
    manifests: policy(`{${WEB}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}`),
    says: [],
  },
  {
    name: "names are asked for by UDP",
    rule: KT512,
    manifests: policy(`{${WEB}, policyTypes: [Egress], egress: [{ports: [{port: 53}]}]}`),
    says: ["info 53: NetworkPolicy default/p: port 53 without protocol is TCP, and a name is mostly asked for by UDP there"],
  },
]);
