/** The fixes of the rules about input and Services: the text afterwards, in block and in flow style, and that it is clean. */
import assert from "node:assert/strict";
import test from "node:test";
import { judge } from "./lint-text.ts";

const service = (spec: string): string => `kind: Service\napiVersion: v1\nmetadata:\n  name: web\nspec:\n${spec}`;

const rows: readonly { code: string; name: string; text: string; gives: string; topology?: string }[] = [
  {
    code: "KT002",
    name: "the overridden entry goes, the comment about the other stays",
    text: service("  selector:\n    app: web # one\n  # about the other\n  selector: {app: shop}\n  ports: [{port: 80}]\n"),
    gives: service("  # about the other\n  selector: {app: shop}\n  ports: [{port: 80}]\n"),
  },
  {
    code: "KT002",
    name: "in a flow mapping, with quotes",
    text: service('  selector: {app: web}\n  ports: [{"port": 80, targetPort: 8080, port: 81}]\n'),
    gives: service("  selector: {app: web}\n  ports: [{targetPort: 8080, port: 81}]\n"),
  },
  {
    code: "KT003",
    name: "quotes round a word, an octal and a version",
    text: service("  selector:\n    app: on\n    tier: 0777\n    version: 1.10 # of the app\n  ports: [{port: 80}]\n"),
    gives: service('  selector:\n    app: "on"\n    tier: "0777"\n    version: "1.10" # of the app\n  ports: [{port: 80}]\n'),
  },
  {
    code: "KT004",
    name: "an Ingress of extensions/v1beta1",
    text: `kind: Ingress
apiVersion: extensions/v1beta1 # old
metadata: {name: web}
spec:
  backend:
    serviceName: web
    servicePort: http
  rules:
    - host: www.test.com
      http:
        paths:
          - path: /
            backend:
              serviceName: web # the shop
              servicePort: 80
`,
    gives: `kind: Ingress
apiVersion: networking.k8s.io/v1 # old
metadata: {name: web}
spec:
  defaultBackend:
    service: {name: web, port: {name: http}}
  rules:
    - host: www.test.com
      http:
        paths:
          - pathType: ImplementationSpecific
            path: /
            backend:
              service: {name: web, port: {number: 80}} # the shop
`,
  },
  {
    code: "KT004",
    name: "a Deployment without selector",
    text: "kind: Deployment\napiVersion: apps/v1beta1\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: x}]}\n",
    gives:
      "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: x}]}\n",
  },
  {
    code: "KT004",
    name: "an EndpointSlice's topology",
    text: "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1beta1\nmetadata: {name: web-1}\naddressType: IPv4\nendpoints:\n  - addresses: [10.1.1.1]\n    topology: {kubernetes.io/hostname: n1, topology.kubernetes.io/zone: a}\n",
    gives:
      "kind: EndpointSlice\napiVersion: discovery.k8s.io/v1\nmetadata: {name: web-1}\naddressType: IPv4\nendpoints:\n  - zone: a\n    addresses: [10.1.1.1]\n    nodeName: n1\n",
  },
  {
    code: "KT006",
    name: "a key that was meant otherwise",
    text: service("  selector: {app: web}\n  ports:\n    - port: 80\n      target-port: 8080 # of the pods\n"),
    gives: service("  selector: {app: web}\n  ports:\n    - port: 80\n      targetPort: 8080 # of the pods\n"),
  },
  {
    code: "KT009",
    name: "octets with zeros",
    text: service("  clusterIP: 10.96.010.010\n  ports: [{port: 80}]\n"),
    gives: service("  clusterIP: 10.96.10.10\n  ports: [{port: 80}]\n"),
  },
  {
    code: "KT009",
    name: "host bits and IPv4 in IPv6",
    text: service(
      "  type: LoadBalancer\n  loadBalancerSourceRanges: [10.1.2.3/8]\n  externalIPs: ['::ffff:192.0.2.1']\n  ports: [{port: 80}]\n",
    ),
    gives: service("  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.0/8]\n  externalIPs: [192.0.2.1]\n  ports: [{port: 80}]\n"),
  },
  {
    code: "KT106",
    name: "a number in quotes",
    text: service("  ports:\n    - port: 80\n      targetPort: '8080'\n"),
    gives: service("  ports:\n    - port: 80\n      targetPort: 8080\n"),
  },
  {
    code: "KT109",
    name: "names for ports, none twice",
    text: service("  ports:\n    - port: 80\n    - {port: 53, protocol: UDP}\n    - {port: 53}\n    - {name: http, port: 8080}\n"),
    gives: service(
      "  ports:\n    - name: http-1\n      port: 80\n    - {name: udp-53, port: 53, protocol: UDP}\n    - {name: dns, port: 53}\n    - {name: http, port: 8080}\n",
    ),
  },
  {
    code: "KT115",
    name: "topologyKeys go",
    text: service("  topologyKeys:\n    - kubernetes.io/hostname\n  ports: [{port: 80}]\n"),
    gives: service("  ports: [{port: 80}]\n"),
  },
  {
    code: "KT119",
    name: "ports and selector of an alias go",
    text: service("  type: ExternalName\n  externalName: db.example.com\n  ports: [{port: 80}]\n  selector: {app: web}\n"),
    gives: service("  type: ExternalName\n  externalName: db.example.com\n"),
  },
  {
    code: "KT120",
    name: "a node port and a policy that ClusterIP does not have",
    text: service("  externalTrafficPolicy: Local\n  ports:\n    - port: 80\n      nodePort: 31200\n"),
    gives: service("  ports:\n    - port: 80\n"),
  },
];

for (const { code, name, text, gives, topology } of rows)
  test(`${code}: ${name}`, () => {
    const once = judge(code, text, topology);
    assert.equal(once.fixed, gives);
    assert.deepEqual(
      judge(code, gives, topology).findings.map(({ message }) => message),
      [],
    );
  });
