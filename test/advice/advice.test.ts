/**
 * One row a mistake: what is said of it, to the letter, and that doing what is said mends it. `*` marks a change that was
 * walked. `mend` writes the change into the files, as its reader would, and the same question must then be delivered.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ask, counselLines, DEPLOYMENT, INGRESS, open, question, SERVICE, TOPOLOGY, type Written } from "./cases.ts";

type Row = {
  readonly name: string;
  readonly wrong: readonly Written[];
  readonly ask: Ask;
  readonly says: readonly string[];
  readonly mend?: readonly Written[];
  readonly instead?: Ask; // the question that is advised
};

const NODE_PORT: Ask = { to: "node2:31160" };
const WEB: Ask = { to: "www.test.com:80" };
const CLUSTER_IP = "10.96.246.235:80";
const TAINT = "node-role.kubernetes.io/control-plane:NoSchedule";
const SELECTOR: Written = [SERVICE, "selector:\n    app: tomcat6", "selector:\n    app: tomcat"];
const sysctl = (key: string): Written => [TOPOLOGY, "aliases: [node2]\n", `aliases: [node2]\n      sysctls: {${key}: 0}\n`];
const KUBE_DNS: Written = ["kube-system.yaml", "clusterIP: 10.96.0.10", "clusterIP: 10.96.0.11"];
const unset = ([file, from, to]: Written): Written => [file, to, from];

const ROWS: readonly Row[] = [
  {
    name: "a selector with a slip",
    wrong: [SELECTOR],
    ask: NODE_PORT,
    says: [
      "Service default/tomcat6 selects app=tomcat, and no pod of namespace default has that (tomcat6-service.yaml:18:10)",
      "The pods of Deployment tomcat6 have app=tomcat6 (tomcat6-deployment.yaml:17:14)",
      "* selector: {app: tomcat6} (tomcat6-service.yaml:18:10): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [unset(SELECTOR)],
  },
  {
    name: "a node port on loopback in ipvs mode",
    wrong: [[TOPOLOGY, "    mode: iptables\n", "    mode: ipvs\n"]],
    ask: { to: "127.0.0.1:31160", from: "node/k8s-node2" },
    says: [
      "Node port 31160 of default/tomcat6 is not at 127.0.0.1: kube-proxy on k8s-node2 takes node ports at every address but loopback, as ipvs mode does (topology.yaml:25:3)",
      "* ask 10.0.2.5:31160: delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    instead: { to: "10.0.2.5:31160", from: "node/k8s-node2" },
  },
  {
    name: "a port that a Service lacks, in ipvs mode of 1.25",
    wrong: [
      [TOPOLOGY, "    mode: iptables\n", "    mode: ipvs\n"],
      [TOPOLOGY, '# version: "1.36" ', 'version: "1.25" #'],
    ],
    ask: { to: "10.96.246.235:81", from: "pod/nginx" },
    says: [
      "Service default/tomcat6 has port 80/TCP, not 81/TCP (tomcat6-service.yaml:19:3)",
      "10.96.246.235 is on kube-ipvs0 of every node, so k8s-node2 itself answered",
      "* ask 10.96.246.235:80: delivered, the pods see 10.244.1.15",
      "* give the Service a port 81 too, with targetPort 8080 (tomcat6-service.yaml:19:3): delivered, the pods see 10.244.1.15",
    ],
    instead: { to: "10.96.246.235:80", from: "pod/nginx" },
  },
  {
    name: "the cluster's DNS is not among the manifests",
    wrong: [KUBE_DNS],
    ask: { to: "tomcat6:80", from: "pod/nginx" },
    says: [
      "No Service has 10.96.0.10, where pods ask for names: the cluster's DNS is not in the input",
      "* ask tomcat6 by its address: 10.96.246.235: delivered, the pods see 10.244.1.15",
      "- read the cluster's DNS too: kubectl -n kube-system get service/kube-dns deployment/coredns configmap/coredns -o yaml: then its names are known",
    ],
    mend: [unset(KUBE_DNS)],
  },
  {
    name: "the label's key is another one",
    wrong: [[SERVICE, "selector:\n    app: tomcat6", "selector:\n    name: tomcat6"]],
    ask: { to: CLUSTER_IP, from: "pod/nginx" },
    says: [
      "Service default/tomcat6 selects name=tomcat6, and no pod of namespace default has that (tomcat6-service.yaml:18:11)",
      "The pods of Deployment tomcat6 have app=tomcat6 (tomcat6-deployment.yaml:17:14)",
      "* selector: {app: tomcat6} (tomcat6-service.yaml:18:11): delivered, the pods see 10.244.1.15",
    ],
    mend: [[SERVICE, "name: tomcat6\n  ports", "app: tomcat6\n  ports"]],
  },
  {
    name: "a Service in another namespace than its pods",
    wrong: [[SERVICE, "namespace: default", "namespace: web"]],
    ask: NODE_PORT,
    says: [
      "Service web/tomcat6 selects app=tomcat6, and no pod of namespace web has that (tomcat6-service.yaml:18:10)",
      "Deployment tomcat6 has, in namespace default: a selector sees its own namespace only (tomcat6-deployment.yaml:5:1)",
      "- write the Service into namespace default (tomcat6-service.yaml:9:14): its name in the DNS changes too",
    ],
    mend: [[SERVICE, "namespace: web", "namespace: default"]],
  },
  {
    name: "targetPort where nothing listens",
    wrong: [[SERVICE, "targetPort: 8080", "targetPort: 8081"]],
    ask: NODE_PORT,
    says: [
      "The targetPort of default/tomcat6 is 8081 (tomcat6-service.yaml:21:19)",
      "The pods of Deployment tomcat6 listen on 8080 (tomcat6-deployment.yaml:23:30)",
      "* targetPort: 8080 (tomcat6-service.yaml:21:19): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[SERVICE, "targetPort: 8081", "targetPort: 8080"]],
  },
  {
    name: "the same, behind a proxy that asks the pods itself",
    wrong: [
      [SERVICE, "targetPort: 8080", "targetPort: 8081"],
      [TOPOLOGY, "upstream: service", "upstream: endpoints"],
    ],
    ask: WEB,
    says: [
      "The targetPort of default/tomcat6 is 8081 (tomcat6-service.yaml:21:19)",
      "The pods of Deployment tomcat6 listen on 8080 (tomcat6-deployment.yaml:23:30)",
      "* targetPort: 8080 (tomcat6-service.yaml:21:19): delivered",
    ],
    mend: [[SERVICE, "targetPort: 8081", "targetPort: 8080"]],
  },
  {
    name: "a targetPort by a name that no container has",
    wrong: [[SERVICE, "targetPort: 8080", "targetPort: web"]],
    ask: NODE_PORT,
    says: [
      'Service default/tomcat6 sends to the port called "web", and its pods declare 8080 (no name): no pod has it, so none is an endpoint (tomcat6-service.yaml:21:19)',
      "* targetPort: 8080 (tomcat6-service.yaml:21:19): delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "* name: web beside containerPort 8080 (tomcat6-deployment.yaml:23:15): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[DEPLOYMENT, "containerPort: 8080", "name: web\n              containerPort: 8080"]],
  },
  {
    name: "two mistakes at once: the second is found behind the first",
    wrong: [SELECTOR, [SERVICE, "targetPort: 8080", "targetPort: 8081"]],
    ask: NODE_PORT,
    says: [
      "Service default/tomcat6 selects app=tomcat, and no pod of namespace default has that (tomcat6-service.yaml:18:10)",
      "The pods of Deployment tomcat6 have app=tomcat6 (tomcat6-deployment.yaml:17:14)",
      "* selector: {app: tomcat6}, and then targetPort: 8080 (tomcat6-service.yaml:21:19) (tomcat6-service.yaml:18:10): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [unset(SELECTOR), [SERVICE, "targetPort: 8081", "targetPort: 8080"]],
  },
  {
    name: "scaled to 0",
    wrong: [[DEPLOYMENT, "replicas: 3", "replicas: 0"]],
    ask: { to: CLUSTER_IP, from: "pod/nginx" },
    says: [
      "The selector of default/tomcat6 fits Deployment tomcat6, which is scaled to 0: there is no pod to hand packets to",
      "* replicas: 1 (tomcat6-deployment.yaml:10:13): delivered, the pod sees 10.244.1.15",
    ],
    mend: [[DEPLOYMENT, "replicas: 0", "replicas: 1"]],
  },
  {
    name: "no node will have the pods",
    wrong: [
      [DEPLOYMENT, "    spec:\n      containers", "    spec:\n      nodeSelector:\n        disk: ssd\n      containers"],
      [TOPOLOGY, "- {name: default/tomcat6-5f7ccf4cb9-8jxz7, ip: 10.244.1.11, node: k8s-node2}", ""],
      [TOPOLOGY, "- {name: default/tomcat6-5f7ccf4cb9-gbtt5, ip: 10.244.2.10, node: k8s-node3}", ""],
      [TOPOLOGY, "- {name: default/tomcat6-5f7ccf4cb9-hvxs5, ip: 10.244.2.11, node: k8s-node3}", ""],
    ],
    ask: { to: CLUSTER_IP, from: "pod/nginx" },
    says: [
      "The selector of default/tomcat6 fits all 3 pods, but no node runs them: 0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector",
      "* drop the nodeSelector of Deployment tomcat6, or label a node disk=ssd (tomcat6-deployment.yaml:19:7): delivered, the pods see 10.244.1.15",
    ],
    mend: [
      [
        TOPOLOGY,
        "      labels:\n        kubernetes.io/hostname: k8s-node2",
        "      labels:\n        disk: ssd\n        kubernetes.io/hostname: k8s-node2",
      ],
    ],
  },
  {
    name: "no selector, and no Endpoints by hand",
    wrong: [[SERVICE, "  selector:\n    app: tomcat6\n", ""]],
    ask: NODE_PORT,
    says: [
      "Service default/tomcat6 has no selector, and no Endpoints or EndpointSlice in the input gives it addresses (tomcat6-service.yaml:12:1)",
      "* selector: {app: tomcat6} (tomcat6-service.yaml:12:1): delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "- write Endpoints default/tomcat6 with the addresses of its servers: the addresses are yours to know",
    ],
    mend: [[SERVICE, "sessionAffinity: None\n", "sessionAffinity: None\n  selector: {app: tomcat6}\n"]],
  },
  {
    name: "policy Local, no pod on the node that is asked",
    wrong: [[SERVICE, "externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"]],
    ask: { to: "node1:31160" },
    says: [
      `externalTrafficPolicy is Local and k8s-node1 runs no ready pod of default/tomcat6: its taint ${TAINT} keeps them off (tomcat6-service.yaml:15:26)`,
      "Ready endpoints: k8s-node1 0, k8s-node2 1 and k8s-node3 2",
      "* ask node2 or node3: delivered, the pods see 192.168.56.1",
      "* externalTrafficPolicy: Cluster (tomcat6-service.yaml:15:26): delivered, the pods see 10.244.0.0",
      `- tolerate ${TAINT} in Deployment tomcat6 (tomcat6-deployment.yaml:18:5): a pod may then run on k8s-node1, or not`,
    ],
    mend: [[SERVICE, "externalTrafficPolicy: Local", "externalTrafficPolicy: Cluster"]],
    instead: { to: "node3:31160" },
  },
  {
    name: "a node that is asked by its address is named by the addresses of the others",
    wrong: [[SERVICE, "externalTrafficPolicy: Cluster", "internalTrafficPolicy: Local"]],
    ask: { to: CLUSTER_IP, from: "node/k8s-node1" },
    says: [
      `internalTrafficPolicy is Local and k8s-node1 runs no ready pod of default/tomcat6: its taint ${TAINT} keeps them off (tomcat6-service.yaml:15:26)`,
      "Ready endpoints: k8s-node1 0, k8s-node2 1 and k8s-node3 2",
      "* internalTrafficPolicy: Cluster (tomcat6-service.yaml:15:26): delivered, the pods see 10.244.0.0",
      `- tolerate ${TAINT} in Deployment tomcat6 (tomcat6-deployment.yaml:18:5): a pod may then run on k8s-node1, or not`,
    ],
    mend: [[SERVICE, "internalTrafficPolicy: Local", "internalTrafficPolicy: Cluster"]],
  },
  {
    name: "a client outside loadBalancerSourceRanges",
    wrong: [
      [SERVICE, "type: NodePort", "type: LoadBalancer\n  loadBalancerSourceRanges: [203.0.113.0/24]"],
      [SERVICE, "      protocol: TCP\n", "      protocol: TCP\nstatus:\n  loadBalancer:\n    ingress:\n      - ip: 192.168.56.101\n"],
    ],
    ask: { to: "192.168.56.101:80" },
    says: [
      "Service default/tomcat6 lets only 203.0.113.0/24 use its load-balancer address, and this comes from 192.168.56.1 (tomcat6-service.yaml:14:29)",
      "* add 192.168.56.0/24 to loadBalancerSourceRanges (tomcat6-service.yaml:14:29): delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "* ask the node port, which the ranges do not guard: 192.168.56.101:31160: delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[SERVICE, "[203.0.113.0/24]", "[203.0.113.0/24, 192.168.56.0/24]"]],
    instead: { to: "192.168.56.101:31160" },
  },
  {
    name: "a node that forwards nothing; other nodes cannot help, for one pod is behind it",
    wrong: [sysctl("net.ipv4.ip_forward")],
    ask: NODE_PORT,
    says: [
      "k8s-node2 has net.ipv4.ip_forward 0: what is not for itself it throws away, also what its own rules sent on to a pod (topology.yaml:55:38)",
      "* net.ipv4.ip_forward: 1 on k8s-node2 (topology.yaml:55:38): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[TOPOLOGY, "ip_forward: 0", "ip_forward: 1"]],
  },
  {
    name: "an answer that crosses the bridge past NAT",
    wrong: [sysctl("net.bridge.bridge-nf-call-iptables")],
    ask: { to: CLUSTER_IP, from: "pod/nginx" },
    says: [
      "tomcat6-5f7ccf4cb9-8jxz7 and its client are on one bridge of k8s-node2, which has net.bridge.bridge-nf-call-iptables 0: the answer crosses it past iptables, and keeps the pod's own address (topology.yaml:55:53)",
      "* net.bridge.bridge-nf-call-iptables: 1 on k8s-node2 (topology.yaml:55:53): delivered, the pods see 10.244.1.15",
    ],
    mend: [[TOPOLOGY, "call-iptables: 0", "call-iptables: 1"]],
  },
  {
    name: "a pod that meets itself, hairpin mode off",
    wrong: [[TOPOLOGY, "plugin: flannel\n", "plugin: flannel\n    hairpinMode: false\n"]],
    ask: { to: CLUSTER_IP, from: "pod/tomcat6-5f7ccf4cb9-8jxz7" },
    says: [
      "tomcat6-5f7ccf4cb9-8jxz7 is itself an endpoint of default/tomcat6: 1 of 3 times it is sent to itself, and its bridge port has hairpin mode off (topology.yaml:30:18)",
      "* cni.hairpinMode: true (topology.yaml:30:18): delivered, the pods see 10.244.1.1 or 10.244.1.11",
      "* let the pod ask itself: localhost:8080: delivered, the pod sees 127.0.0.1",
    ],
    mend: [[TOPOLOGY, "hairpinMode: false", "hairpinMode: true"]],
    instead: { to: "localhost:8080", from: "pod/tomcat6-5f7ccf4cb9-8jxz7" },
  },
  {
    name: "a dead pod that is still an endpoint",
    wrong: [[TOPOLOGY, "ip: 10.244.1.11, node: k8s-node2", "ip: 10.244.1.11, node: k8s-node2, dead: true"]],
    ask: NODE_PORT,
    says: [
      "10.244.1.11 is pod default/tomcat6-5f7ccf4cb9-8jxz7's, which is dead, and it is still an endpoint of default/tomcat6 (topology.yaml:94:88)",
      "* bring pod tomcat6-5f7ccf4cb9-8jxz7 back to life (topology.yaml:94:88): delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "- delete it, so that it is no endpoint any more: kubectl delete pod tomcat6-5f7ccf4cb9-8jxz7",
    ],
    mend: [[TOPOLOGY, ", dead: true", ""]],
  },
  {
    name: "Endpoints by hand with an address that nobody has",
    wrong: [
      [
        SERVICE,
        "  selector:\n    app: tomcat6\n  ports:\n    - port: 80 # the Service's own port, on its cluster address\n      targetPort: 8080 # where the pods listen\n      nodePort: 31160 # open on every node\n      protocol: TCP\n",
        "  ports: [{port: 80, nodePort: 31160}]\n---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: tomcat6}\nsubsets:\n  - addresses: [{ip: 10.244.1.99}]\n    ports: [{port: 8080}]\n",
      ],
    ],
    ask: NODE_PORT,
    says: [
      "Endpoints default/tomcat6 lists 10.244.1.99, and no machine or pod here has that address (tomcat6-service.yaml:22:1)",
      "- correct the address, or list the machine that has it under `hosts` of the topology (tomcat6-service.yaml:22:1): the address is yours to know",
    ],
    mend: [[SERVICE, "10.244.1.99", "10.244.1.11"]],
  },
  {
    name: "no route: a cluster address asked from outside",
    wrong: [],
    ask: { to: CLUSTER_IP },
    says: [
      "client knows the way to 192.168.56.0/24 only: it has no other route (topology.yaml:83:7)",
      "10.96.246.235 is the cluster address of default/tomcat6: no machine has it, and only nodes and their pods rewrite it",
      "* ask its node port: 192.168.56.100:31160, 192.168.56.101:31160 or 192.168.56.102:31160: delivered, the pods see addresses of the nodes",
      "* ask by its Ingress: http://www.test.com/ (ingress.yaml:8:7): delivered",
      `* ask from a pod: ktrace --from pod/nginx curl ${CLUSTER_IP}: delivered, the pods see 10.244.1.15`,
      "* route 10.96.0.0/12 by k8s-node3: routes: [{to: 10.96.0.0/12, via: 192.168.56.102}] (topology.yaml:83:7): delivered, the pods see 10.244.2.0 or 10.244.2.1",
    ],
    mend: [[TOPOLOGY, "    - name: client\n", "    - name: client\n      routes: [{to: 10.96.0.0/12, via: 192.168.56.102}]\n"]],
    instead: { to: "192.168.56.100:31160" },
  },
  {
    name: "no route: a node's address on a network that the client is not on",
    wrong: [],
    ask: { to: "10.0.2.5:31160" },
    says: [
      "client knows the way to 192.168.56.0/24 only: it has no other route (topology.yaml:83:7)",
      "10.0.2.5 is an address of k8s-node2 on a network that client is not on; on the network that they share it is 192.168.56.101",
      "* ask 192.168.56.101:31160: delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "* route 10.0.2.5/32 by k8s-node2: routes: [{to: 10.0.2.5/32, via: 192.168.56.101}] (topology.yaml:83:7): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[TOPOLOGY, "    - name: client\n", "    - name: client\n      routes: [{to: 10.0.2.5/32, via: 192.168.56.101}]\n"]],
    instead: { to: "192.168.56.101:31160" },
  },
  {
    name: "a node without the ingress controller, asked by its name",
    wrong: [],
    ask: { to: "node1:80" },
    says: [
      "Nothing on k8s-node1 listens on 80: DaemonSet nginx-ingress-controller does, and it runs on k8s-node2 and k8s-node3 only",
      `k8s-node1 has no pod of it: its taint ${TAINT} keeps them off`,
      "* ask node2:80 or node3:80 with -H 'Host: www.test.com': delivered",
    ],
    instead: { to: "node3:80", http: { hostHeader: "www.test.com" } },
  },
  {
    name: "the same, by a hosts file that leads to the wrong node",
    wrong: [[TOPOLOGY, "www.test.com: 192.168.56.101", "www.test.com: 192.168.56.100"]],
    ask: WEB,
    says: [
      "Nothing on k8s-node1 listens on 80: DaemonSet nginx-ingress-controller does, and it runs on k8s-node2 and k8s-node3 only",
      `k8s-node1 has no pod of it: its taint ${TAINT} keeps them off`,
      "* let www.test.com lead to k8s-node2 (192.168.56.101) or k8s-node3 (192.168.56.102) (topology.yaml:87:23): delivered",
      `* tolerate ${TAINT} in DaemonSet nginx-ingress-controller (ingress-controller.yaml:29:5): delivered`,
    ],
    mend: [["ingress-controller.yaml", "      hostNetwork: true\n", "      hostNetwork: true\n      tolerations: [{operator: Exists}]\n"]],
  },
  {
    name: "a node port that was nearly typed",
    wrong: [],
    ask: { to: "node2:31106" },
    says: [
      "Nothing on k8s-node2 listens on 31106/TCP, and no Service has that node port",
      "Node ports for TCP: 31160 (default/tomcat6)",
      "* ask node2:31160, the node port of default/tomcat6: delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    instead: NODE_PORT,
  },
  {
    name: "nftables: an address of the node that takes no node ports",
    wrong: [[TOPOLOGY, "mode: iptables", "mode: nftables"]],
    ask: NODE_PORT,
    says: [
      "Node port 31160 of default/tomcat6 is not at 192.168.56.101: kube-proxy on k8s-node2 takes node ports at 10.0.2.5 only, the default of nftables mode (topology.yaml:25:3)",
      "* nodePortAddresses: [10.0.2.5/32, 192.168.56.0/24] of kube-proxy (topology.yaml:25:3): delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    mend: [[TOPOLOGY, "mode: nftables", "mode: nftables\n    nodePortAddresses: [192.168.56.0/24]"]],
  },
  {
    name: "the pods' port asked of a node",
    wrong: [],
    ask: { to: "node2:8080" },
    says: [
      "8080 is the port of the pods of default/tomcat6; on a node its port is 31160, and nothing on k8s-node2 listens on 8080",
      "Node ports for TCP: 31160 (default/tomcat6)",
      "* ask node2:31160, the node port of default/tomcat6: delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    instead: NODE_PORT,
  },
  {
    name: "UDP to a TCP node port",
    wrong: [],
    ask: { to: "node2:31160", program: "nc", protocol: "udp" },
    says: [
      "Nothing on k8s-node2 listens on 31160/UDP, and no Service has that node port",
      "Node port 31160 of default/tomcat6 is for TCP",
      "Node ports for UDP: 31999 (default/echo-udp)",
      "* ask by TCP: nc node2 31160: delivered, the pods see 10.244.1.1 or 10.244.1.0",
      "* ask node2:31999, the node port of default/echo-udp: delivered, the pods see 10.244.1.1 or 10.244.1.0",
    ],
    instead: { to: "node2:31160", program: "nc" },
  },
  {
    name: "a closed port of a pod",
    wrong: [],
    ask: { to: "10.244.1.11:80", from: "pod/nginx" },
    says: [
      "10.244.1.11 was asked on port 80",
      "The pods of Deployment tomcat6 listen on 8080 (tomcat6-deployment.yaml:23:30)",
      "* ask 10.244.1.11:8080: delivered, the pod sees 10.244.1.15",
    ],
    instead: { to: "10.244.1.11:8080", from: "pod/nginx" },
  },
  {
    name: "an address that no pod has",
    wrong: [],
    ask: { to: "10.244.1.16:80", from: "pod/nginx" },
    says: [
      "No pod has 10.244.1.16, an address of k8s-node2; its pods are 10.244.1.20 (echo-udp-6b8c7f9d54-7wgzn), 10.244.1.15 (nginx) and 10.244.1.11 (tomcat6-5f7ccf4cb9-8jxz7)",
      "* ask 10.244.1.15:80, pod nginx: delivered, the pod sees 10.244.1.15",
      "* ask 10.244.1.11:8080, pod tomcat6-5f7ccf4cb9-8jxz7: delivered, the pod sees 10.244.1.15",
    ],
    instead: { to: "10.244.1.11:8080", from: "pod/nginx" },
  },
  {
    name: "a port that the Service does not have",
    wrong: [],
    ask: { to: "tomcat6:81", from: "pod/nginx" },
    says: [
      "Service default/tomcat6 has port 80/TCP, not 81/TCP; no rule rewrites it, so it went the way of all other traffic (tomcat6-service.yaml:19:3)",
      "* ask tomcat6:80: delivered, the pods see 10.244.1.15",
      "* give the Service a port 81 too, with targetPort 8080 (tomcat6-service.yaml:19:3): delivered, the pods see 10.244.1.15",
    ],
    mend: [[SERVICE, "    - port: 80 #", "    - {name: more, port: 81, targetPort: 8080}\n    - name: http\n      port: 80 #"]],
    instead: { to: "tomcat6:80", from: "pod/nginx" },
  },
  {
    name: "a cluster address that no Service has",
    wrong: [],
    ask: { to: "10.96.246.236:80", from: "pod/nginx" },
    says: [
      "No Service has the cluster address 10.96.246.236; default/tomcat6 has 10.96.246.235",
      "* ask 10.96.246.235:80, Service default/tomcat6: delivered, the pods see 10.244.1.15",
    ],
    instead: { to: CLUSTER_IP, from: "pod/nginx" },
  },
  {
    name: "a ping to a cluster address",
    wrong: [],
    ask: { to: "tomcat6", from: "pod/nginx", program: "ping", protocol: "icmp" },
    says: [
      "10.96.246.235 is an address of Service default/tomcat6: kube-proxy takes its ports only, so nobody answers a ping",
      "* ask its port: nc tomcat6 80: delivered, the pods see 10.244.1.15",
    ],
    instead: { to: "tomcat6:80", from: "pod/nginx", program: "nc" },
  },
  {
    name: "the outside: what it looks like there, and nothing is promised",
    wrong: [],
    ask: { to: "192.0.2.53:80", from: "pod/nginx" },
    says: [
      "k8s-node2 hands it to its default gateway 10.0.2.2, as coming from 10.0.2.5; the topology lists no machine with that address",
      "- to follow it further, list 10.0.2.2 and 192.0.2.53 under `hosts`, with `listens: [{port: 80}]` (topology.yaml:82:3): they are yours to describe",
    ],
  },
  {
    name: "a Service name asked from outside",
    wrong: [],
    ask: { to: "tomcat6:80" },
    says: [
      "tomcat6 is a Service's name: the cluster's DNS knows it, and only pods ask that (tomcat6-service.yaml:8:9)",
      "* ask its node port: node1:31160, node2:31160 or node3:31160: delivered, the pods see addresses of the nodes",
      "* ask by its Ingress: http://www.test.com/ (ingress.yaml:8:7): delivered",
      "* ask from a pod: ktrace --from pod/nginx curl tomcat6:80: delivered, the pods see 10.244.1.15",
    ],
    instead: { to: "tomcat6:80", from: "pod/nginx" },
  },
  {
    name: "an Ingress host that nothing leads to",
    wrong: [[TOPOLOGY, "        www.test.com: 192.168.56.101\n", "        other.test.com: 192.168.56.101\n"]],
    ask: WEB,
    says: [
      "www.test.com is the host of an Ingress, and nothing tells client its address",
      "* write www.test.com into its hosts file: 192.168.56.101 (k8s-node2) or 192.168.56.102 (k8s-node3) (topology.yaml:86:7): delivered",
    ],
    mend: [[TOPOLOGY, "other.test.com: 192.168.56.101", "www.test.com: 192.168.56.102"]],
  },
  {
    name: "a Service name with a slip",
    wrong: [],
    ask: { to: "toncat:80", from: "pod/nginx" },
    says: [
      "Namespace default has no Service toncat, but tomcat6 (tomcat6-service.yaml:8:9)",
      "* ask tomcat6: delivered, the pods see 10.244.1.15",
    ],
    instead: { to: "tomcat6:80", from: "pod/nginx" },
  },
  {
    name: "a Service of another namespace",
    wrong: [],
    ask: { to: "kube-dns:9153", from: "pod/nginx" },
    says: [
      "Namespace default has no Service kube-dns; namespace kube-system has, and from default it is called kube-dns.kube-system (kube-system.yaml:6:9)",
      "* ask kube-dns.kube-system: delivered, the pods see 10.244.1.15",
    ],
    instead: { to: "kube-dns.kube-system:9153", from: "pod/nginx" },
  },
  {
    name: "no DNS: the lookup is mended where it died",
    wrong: [["kube-system.yaml", "replicas: 2", "replicas: 0"]],
    ask: { to: "tomcat6:80", from: "pod/nginx" },
    says: [
      "The selector of kube-system/kube-dns fits Deployment coredns, which is scaled to 0: there is no pod to hand packets to",
      "* replicas: 1 (kube-system.yaml:37:13): delivered, the pods see 10.244.1.15",
    ],
    mend: [["kube-system.yaml", "replicas: 0", "replicas: 1"]],
  },
  {
    name: "a Host header that no Ingress has",
    wrong: [],
    ask: { to: "node2:80", http: { hostHeader: "www.tset.com" } },
    says: [
      "nginx has rules for www.test.com only, and this request's Host is www.tset.com (ingress.yaml:8:7)",
      "* say the host: -H 'Host: www.test.com': delivered",
    ],
    instead: { to: "node2:80", http: { hostHeader: "www.test.com" } },
  },
  {
    name: "an Ingress for another path",
    wrong: [[INGRESS, "path: /\n", "path: /app\n"]],
    ask: WEB,
    says: [
      "For www.test.com nginx has the path /app (ImplementationSpecific), and this request's path is / (ingress.yaml:11:19)",
      "* ask the path /app: delivered",
    ],
    instead: { to: "www.test.com:80", http: { path: "/app" } },
  },
  {
    name: "an Ingress of another class",
    wrong: [[INGRESS, "spec:\n", "spec:\n  ingressClassName: traefik\n"]],
    ask: WEB,
    says: [
      "Ingress default/web has a rule for www.test.com, but is of class traefik; the controller is of class nginx (ingress.yaml:7:21)",
      "* ingressClassName: nginx (ingress.yaml:7:21): delivered",
    ],
    mend: [[INGRESS, "traefik", "nginx"]],
  },
  {
    name: "an Ingress with the pods' port",
    wrong: [[INGRESS, "number: 80", "number: 8080"]],
    ask: WEB,
    says: [
      "The Ingress asks for port 8080 of Service default/tomcat6, which has 80; 8080 is its targetPort, the pods' own (ingress.yaml:16:17)",
      "* service.port.number: 80 (ingress.yaml:16:17): delivered",
    ],
    mend: [[INGRESS, "number: 8080", "number: 80"]],
  },
  {
    name: "an Ingress with a Service that is not there",
    wrong: [[INGRESS, "name: tomcat6", "name: tomcat"]],
    ask: WEB,
    says: [
      "Ingress default/web sends to Service tomcat, which namespace default does not have (ingress.yaml:15:23)",
      "* service.name: tomcat6 (ingress.yaml:15:23): delivered",
    ],
    mend: [[INGRESS, "name: tomcat\n", "name: tomcat6\n"]],
  },
  {
    name: "a redirect to https that curl does not follow",
    wrong: [[INGRESS, "spec:\n", "spec:\n  tls: [{hosts: [www.test.com], secretName: web}]\n"]],
    ask: WEB,
    says: [
      "nginx sends every http request for this host to https://www.test.com/; curl does not follow without -L",
      "* let curl follow: -L: delivered",
    ],
    instead: { to: "www.test.com:80", http: { follow: true } },
  },
  {
    name: "https without a certificate of its own",
    wrong: [],
    ask: { to: "www.test.com:443", http: { scheme: "https" } },
    says: [
      "No Ingress has a tls section for www.test.com, so the controller shows its own certificate, which curl does not trust",
      "* take any certificate: -k: delivered",
      "* ask by http: http://www.test.com/: delivered",
    ],
    instead: { to: "www.test.com:443", http: { scheme: "https", insecure: true } },
  },
];

for (const { name, wrong, ask, says, mend, instead } of ROWS) {
  test(name, () => {
    const session = open(wrong);
    const trace = session.trace(question(ask));
    assert.notEqual(trace.verdict, "delivered");
    assert.deepEqual(counselLines(session, trace), says);
    if (mend) assert.equal(open([...wrong, ...mend]).trace(question(ask)).verdict, "delivered", "the change, written into the files");
    if (instead) assert.equal(session.trace(question(instead)).verdict, "delivered", "the question that is advised");
  });
}

test("nothing is said of a path that delivered", () => {
  const session = open([]);
  const trace = session.trace(question(NODE_PORT));
  assert.deepEqual(
    trace.paths.map((path) => session.context.advice?.(path)),
    [undefined, undefined, undefined],
  );
});

test("a change that cures nothing is not offered: policy Local without a pod anywhere else", () => {
  const session = open([
    [SERVICE, "externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"],
    [SERVICE, "targetPort: 8080", "targetPort: 8081"],
  ]);
  const lines = counselLines(session, session.trace(question({ to: "node1:31160" })));
  assert.deepEqual(
    lines.filter((each) => each.startsWith("*")),
    [
      "* externalTrafficPolicy: Cluster, and then targetPort: 8080 (tomcat6-service.yaml:21:19) (tomcat6-service.yaml:15:26): delivered, the pods see 10.244.0.0",
    ],
  );
});

test("of several that do not cure, the one that gets farthest is gone on from", () => {
  const session = open([SELECTOR, [TOPOLOGY, "        www.test.com: 192.168.56.101\n", "        other.test.com: 192.168.56.101\n"]]);
  const lines = counselLines(session, session.trace(question(WEB)));
  assert.equal(
    lines.at(-1),
    "* write www.test.com into its hosts file: 192.168.56.101 (k8s-node2), and then selector: {app: tomcat6} (tomcat6-service.yaml:18:10) (topology.yaml:86:7): delivered",
  );
});

test("a large cluster is not decided again for each change", () => {
  const session = open([
    [SERVICE, "selector:\n    app: tomcat6", "selector:\n    app: tomcat"],
    [DEPLOYMENT, "replicas: 3", "replicas: 5001"],
  ]);
  const lines = counselLines(session, session.trace(question(NODE_PORT)));
  assert.equal(lines.at(-1), "- selector: {app: tomcat6} (tomcat6-service.yaml:18:10)");
});

for (const mode of ["iptables", "nftables", "ipvs"] as const)
  test(`${mode}: the Service is found by its address and port, whatever the rules are`, () => {
    const session = open([SELECTOR, [TOPOLOGY, "mode: iptables", `mode: ${mode}`]]);
    const lines = counselLines(session, session.trace(question({ to: CLUSTER_IP, from: "pod/nginx" })));
    assert.equal(lines.at(-1), "* selector: {app: tomcat6} (tomcat6-service.yaml:18:10): delivered, the pods see 10.244.1.15");
  });
