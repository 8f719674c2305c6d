/** What KT301 to KT310 say beyond their own examples: the ways in from outside, walked. */

import { KT308 } from "../../src/lint/rules/external-ip-hijacks-traffic.ts";
import { KT307 } from "../../src/lint/rules/external-ip-not-routed.ts";
import { KT309 } from "../../src/lint/rules/lb-source-ranges-ineffective.ts";
import { KT306 } from "../../src/lint/rules/load-balancer-without-provider.ts";
import { KT302 } from "../../src/lint/rules/node-port-conflict.ts";
import { KT310 } from "../../src/lint/rules/node-port-on-loopback.ts";
import { KT301 } from "../../src/lint/rules/node-port-out-of-range.ts";
import { KT303 } from "../../src/lint/rules/node-port-reachable-on-no-node.ts";
import { KT305 } from "../../src/lint/rules/source-ip-lost.ts";
import { runCases } from "./cases.ts";

const service = (name: string, spec: string, annotations = ""): string =>
  `{kind: Service, apiVersion: v1, metadata: {name: ${name}${annotations ? `, annotations: {${annotations}}` : ""}}, spec: {selector: {app: web}, ${spec}}}\n---\n`;
const nodePort = (name: string, number: number, more = ""): string =>
  service(name, `type: NodePort${more}, ports: [{port: 80, targetPort: 8080, nodePort: ${number}}]`);
const policy = (block: string): string =>
  `{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: office}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {${block}}}]}]}}\n---\n`;

runCases([
  {
    name: "a range of one's own",
    rule: KT301,
    manifests: nodePort("a", 30080),
    topology: "kubernetes: {nodePortRange: 20000-22767}",
    says: ["error 30080: Service default/a: node port 30080 lies outside 20000-22767"],
  },
  {
    name: "a range that the nodes' own connections use",
    rule: KT301,
    topology: "kubernetes: {nodePortRange: 30000-40000}",
    says: [
      "warning topology.yaml: the node port range 30000-40000 reaches into 32768-60999, from which k8s-node1 takes the ports of its own connections",
    ],
  },
  {
    name: "the health check of one, the node port of the other",
    rule: KT302,
    manifests: `${nodePort("a", 30080)}${service("b", "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30080, ports: [{port: 80}]")}`,
    says: ["error 30080: Service default/b: node port 30080/TCP is that of Service default/a"],
  },
  {
    name: "two protocols share a number",
    rule: KT302,
    manifests: `${nodePort("a", 30080)}${service("b", "type: NodePort, ports: [{port: 80, protocol: UDP, nodePort: 30080}]")}`,
    says: [],
  },
  {
    name: "node ports on no address of any node",
    rule: KT303,
    manifests: nodePort("a", 30080),
    topology: "kubeProxy: {nodePortAddresses: [172.31.0.0/16]}",
    says: [
      "error 30080: Service default/a: no node answers node port 30080/TCP: rejected at k8s-node1, k8s-node2 and k8s-node3 (not-listening)",
    ],
  },
  {
    name: "a firewall before the nodes; one Service of many",
    rule: KT303,
    manifests: `${nodePort("a", 30080)}${nodePort("b", 30081)}`,
    topology: "firewalls: [{name: fw, allow: [{protocol: TCP, ports: [30081]}]}]",
    says: [
      "error 30080: Service default/a: no node answers node port 30080/TCP: dropped at k8s-node1, k8s-node2 and k8s-node3 (firewall-denied)",
    ],
  },
  {
    name: "policy Local with a pod somewhere answers there",
    rule: KT303,
    manifests: nodePort("a", 30080, ", externalTrafficPolicy: Local"),
    says: [],
  },
  {
    name: "a range that holds the nodes' own addresses loses nothing",
    rule: KT305,
    manifests: `${nodePort("a", 30080)}${policy("cidr: 10.0.0.0/8")}`,
    says: [],
  },
  {
    name: "no door to the pods: nothing is lost",
    rule: KT305,
    manifests: `${service("a", "ports: [{port: 80, targetPort: 8080}]")}${policy("cidr: 203.0.113.0/24")}`,
    says: [],
  },
  {
    name: "a list of nginx's behind a node port",
    rule: KT305,
    manifests: `${nodePort("a", 30080)}{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/whitelist-source-range: 203.0.113.0/24}}, spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}}\n`,
    topology: "ingressControllers: [{pods: {selector: {app: web}}}]",
    says: [
      "info 203.0.113.0/24: Ingress default/i: nginx lets in 203.0.113.0/24, and what comes by node port 30080 of Service default/a comes from 10.244.0.0, a node's address",
    ],
    writes: ["externalTrafficPolicy: Local"],
  },
  {
    name: "a pool that serves it",
    rule: KT306,
    manifests: service("a", "type: LoadBalancer, ports: [{port: 80}]"),
    topology: "loadBalancers: [{name: metal, pool: [192.168.56.240/29]}]",
    says: [],
  },
  {
    name: "a class that nobody serves",
    rule: KT306,
    manifests: service("a", "type: LoadBalancer, loadBalancerClass: example.com/none, ports: [{port: 80}]"),
    topology: "loadBalancers: [{name: metal, pool: [192.168.56.240/29]}]",
    says: ['warning LoadBalancer: Service default/a: EXTERNAL-IP stays <pending>: no load balancer serves class "example.com/none"'],
    writes: ["NodePort"],
  },
  {
    name: "annotations for a provider mean that there is one",
    rule: KT306,
    manifests: service("a", "type: LoadBalancer, ports: [{port: 80}]", "service.beta.kubernetes.io/aws-load-balancer-type: nlb"),
    says: [],
  },
  {
    name: "beyond the topology's networks a router may know the way",
    rule: KT307,
    manifests: service("a", "externalIPs: [198.51.100.7], ports: [{port: 80}]"),
    says: [],
  },
  {
    name: "another Service's cluster address, at its port",
    rule: KT308,
    manifests: `${service("a", "clusterIP: 10.96.0.200, ports: [{port: 80, targetPort: 8080}]")}${service("trap", "externalIPs: [10.96.0.200], ports: [{port: 80, targetPort: 8443}]")}`,
    says: [
      "error 10.96.0.200: Service default/trap claims 10.96.0.200:80 as well, the cluster address of Service default/a: whose rule comes first is left to chance",
    ],
  },
  {
    name: "the same address at another port",
    rule: KT308,
    manifests: `${service("a", "clusterIP: 10.96.0.200, ports: [{port: 80, targetPort: 8080}]")}${service("trap", "externalIPs: [10.96.0.200], ports: [{port: 81, targetPort: 8443}]")}`,
    says: [],
  },
  {
    name: "the kubelet of a node",
    rule: KT308,
    manifests: service("trap", "externalIPs: [192.168.56.101], ports: [{port: 10250, targetPort: 8080}]"),
    says: ["error 192.168.56.101: Service default/trap takes what is sent to 192.168.56.101:10250, where the kubelet listens on k8s-node2"],
  },
  {
    name: "a client inside the ranges shows nothing",
    rule: KT309,
    manifests: service("a", "type: LoadBalancer, loadBalancerSourceRanges: [192.168.56.0/24], ports: [{port: 80, targetPort: 8080}]"),
    says: [],
  },
  {
    name: "an agent on the node's own network",
    rule: KT310,
    manifests: `${nodePort("a", 30080)}{kind: Pod, apiVersion: v1, metadata: {name: agent}, spec: {hostNetwork: true, containers: [{name: c, image: x, env: [{name: URL, value: "http://localhost:30080/"}]}]}}\n`,
    says: [
      'info "http://localhost:30080/": Pod default/agent calls localhost:30080, a node port of Service default/a, at the node\'s own loopback',
    ],
  },
  {
    name: "in nftables mode nobody answers it",
    rule: KT310,
    manifests: `${nodePort("a", 30080)}{kind: Pod, apiVersion: v1, metadata: {name: agent}, spec: {hostNetwork: true, containers: [{name: c, image: x, args: ["--url=http://127.0.0.1:30080"]}]}}\n`,
    topology: "kubeProxy: {mode: nftables}",
    says: [
      'warning "--url=http://127.0.0.1:30080": Pod default/agent calls 127.0.0.1:30080, a node port of Service default/a, at the node\'s own loopback',
    ],
  },
  {
    name: "in a pod of the pod network it is the pod itself",
    rule: KT310,
    manifests: `${nodePort("a", 30080)}{kind: Pod, apiVersion: v1, metadata: {name: p}, spec: {containers: [{name: c, image: x, args: ["http://127.0.0.1:30080"]}]}}\n`,
    says: [],
  },
]);
