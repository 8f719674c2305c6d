/** What KT401 to KT414 say beyond their own examples: of which value, with which remedy, and what they leave alone. */
import { KT413 } from "../../src/lint/rules/ingress-annotation-unknown.ts";
import { KT402 } from "../../src/lint/rules/ingress-backend-port-missing.ts";
import { KT412 } from "../../src/lint/rules/ingress-backend-protocol-mismatch.ts";
import { KT407 } from "../../src/lint/rules/ingress-backend-reachable-by-no-path.ts";
import { KT401 } from "../../src/lint/rules/ingress-backend-service-missing.ts";
import { KT404 } from "../../src/lint/rules/ingress-controller-not-on-node.ts";
import { KT414 } from "../../src/lint/rules/ingress-controller-rbac-or-port.ts";
import { KT403 } from "../../src/lint/rules/ingress-no-controller.ts";
import { KT405 } from "../../src/lint/rules/ingress-path-duplicate.ts";
import { KT406 } from "../../src/lint/rules/ingress-path-shadowed.ts";
import { KT408 } from "../../src/lint/rules/ingress-path-type-suspicious.ts";
import { KT410 } from "../../src/lint/rules/ingress-tls-host-mismatch.ts";
import { KT409 } from "../../src/lint/rules/ingress-tls-secret-missing.ts";
import { KT411 } from "../../src/lint/rules/ingress-wildcard-host.ts";
import { runCases } from "./cases.ts";

const WEB = "web, port: {number: 80}";
type Made = { readonly name?: string; readonly spec?: string; readonly annotations?: string; readonly namespace?: string };
/** An Ingress of class nginx with rules `HOST PATH PATHTYPE` to the Service `web`, unless said otherwise. */
const ingress = (rules: readonly string[], { name = "i", spec = "ingressClassName: nginx", annotations, namespace }: Made = {}): string => {
  const each = rules.map((rule) => {
    const [host, path, type, service = WEB] = rule.split(" | ");
    return `{host: ${host}, http: {paths: [{path: ${path}, pathType: ${type}, backend: {service: {name: ${service}}}}]}}`;
  });
  const metadata = `name: ${name}${namespace ? `, namespace: ${namespace}` : ""}${annotations ? `, annotations: {${annotations}}` : ""}`;
  return `{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {${metadata}}, spec: {${spec ? `${spec}, ` : ""}rules: [${each.join(", ")}]}}\n---\n`;
};
const CONTROLLER = `{kind: DaemonSet, apiVersion: apps/v1, metadata: {name: ic}, spec: {selector: {matchLabels: {app: ic}}, template: {metadata: {labels: {app: ic}}, spec: {hostNetwork: true, containers: [{name: c, image: ingress-nginx/controller, ports: [{containerPort: 80}]}]}}}}\n---\n`;
const NGINX = "nginx.ingress.kubernetes.io";
const ONE = ["a.test.com | / | Prefix"];

runCases([
  {
    name: "the Service is in another namespace",
    rule: KT401,
    manifests: ingress(ONE, { namespace: "shop" }),
    says: ["error web: Ingress shop/i sends a.test.com/ to Service web, which namespace shop does not have"],
  },
  {
    name: "no Service of the namespace was given at all",
    rule: KT401,
    manifests: ingress(["a.test.com | / | Prefix | api, port: {number: 80}"], { namespace: "shop" }),
    says: ["warning api: Ingress shop/i sends a.test.com/ to Service api, which namespace shop does not have"],
  },
  {
    name: "a slip in the name",
    rule: KT401,
    manifests: ingress(["a.test.com | / | Prefix | wbe, port: {number: 80}"]),
    says: ["error wbe: Ingress default/i sends a.test.com/ to Service wbe, which namespace default does not have"],
    writes: ["web"],
  },
  {
    name: "the default backend counts, too",
    rule: KT401,
    manifests: ingress(ONE, { spec: "ingressClassName: nginx, defaultBackend: {service: {name: fallback-errors, port: {number: 80}}}" }),
    says: [
      "error fallback-errors: Ingress default/i sends the default backend to Service fallback-errors, which namespace default does not have",
    ],
  },
  {
    name: "a name where the Service has a number only",
    rule: KT402,
    manifests: ingress(["a.test.com | / | Prefix | web, port: {name: http}"]),
    says: ["error http: Ingress default/i sends a.test.com/ to port http of Service default/web, which has 80 only"],
    writes: [],
  },
  {
    name: "behind an ExternalName the number is used as it is",
    rule: KT402,
    manifests: `{kind: Service, apiVersion: v1, metadata: {name: out}, spec: {type: ExternalName, externalName: example.com}}\n---\n${ingress(["a.test.com | / | Prefix | out, port: {number: 8443}"])}`,
    says: [],
  },
  {
    name: "no class, no default one",
    rule: KT403,
    manifests: ingress(ONE, { spec: "" }),
    says: [
      "warning {rules: [{host: a.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}: Ingress default/i asks for no class, and no IngressClass is the default one",
    ],
    writes: ["ingressClassName: nginx"],
  },
  {
    name: "no class, and one that is the default",
    rule: KT403,
    manifests: `{kind: IngressClass, apiVersion: networking.k8s.io/v1, metadata: {name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}, spec: {controller: k8s.io/ingress-nginx}}\n---\n${ingress(ONE, { spec: "" })}`,
    says: [],
  },
  {
    name: "the annotation of old",
    rule: KT403,
    manifests: ingress(ONE, { spec: "", annotations: "kubernetes.io/ingress.class: traefik" }),
    says: ["error traefik: Ingress default/i is of class traefik, which no controller of the input takes"],
  },
  {
    name: "a hosts file leads to the node without a controller",
    rule: KT404,
    manifests: `${CONTROLLER}${ingress(["www.test.com | / | Prefix"])}`,
    topology: "{hosts: [{name: client, hostsFile: {www.test.com: 192.168.56.100}}], ingressControllers: [{pods: {selector: {app: ic}}}]}",
    says: [
      "warning topology.yaml: www.test.com leads to k8s-node1 (192.168.56.100), where no ingress controller listens: it runs on k8s-node2 and k8s-node3 only",
    ],
  },
  {
    name: "the same backend twice",
    rule: KT405,
    manifests: ingress(["a.test.com | / | Prefix", "a.test.com | / | Prefix"]),
    says: [
      "warning /: Ingress default/i claims a.test.com/, which an earlier rule of the same Ingress sends to Service default/web:80 already",
    ],
  },
  {
    name: "a canary shares the path on purpose",
    rule: KT405,
    manifests: `${ingress(ONE)}${ingress(["a.test.com | / | Prefix | next, port: {number: 80}"], { name: "c", annotations: `${NGINX}/canary: "true"` })}`,
    says: [],
  },
  {
    name: "two classes are two proxies",
    rule: KT405,
    manifests: `${ingress(ONE)}${ingress(["a.test.com | / | Prefix | next, port: {number: 80}"], { name: "c", spec: "ingressClassName: other" })}`,
    says: [],
  },
  {
    name: "a shorter Prefix leaves the longer one its own",
    rule: KT406,
    manifests: ingress(["a.test.com | / | Prefix", "a.test.com | /api | Prefix", "a.test.com | /api | Exact"]),
    says: [],
  },
  {
    name: "an expression that says more than text is not judged",
    rule: KT406,
    manifests: ingress(["a.test.com | /api/.* | ImplementationSpecific", 'a.test.com | "/api/v[12]" | ImplementationSpecific'], {
      annotations: `${NGINX}/use-regex: "true"`,
    }),
    says: [],
  },
  {
    name: "an address that no pod has",
    rule: KT407,
    manifests: `${CONTROLLER}{kind: Service, apiVersion: v1, metadata: {name: out}, spec: {ports: [{port: 80}]}}\n---\n{kind: Endpoints, apiVersion: v1, metadata: {name: out}, subsets: [{addresses: [{ip: 10.0.2.99}], ports: [{port: 80}]}]}\n---\n${ingress(["a.test.com | / | Prefix | out, port: {number: 80}"])}`,
    topology: "ingressControllers: [{pods: {selector: {app: ic}}}]",
    says: [
      "error out: Ingress default/i: a.test.com/ leads nowhere: all ways from 2 controller pods to the 1 endpoint of Service default/out:80 are rejected (host-unreachable)",
    ],
  },
  {
    name: "an expression under Prefix",
    rule: KT408,
    manifests: ingress(['a.test.com | "/api/(v1|v2)" | Prefix']),
    says: [
      'warning "/api/(v1|v2)": Ingress default/i: /api/(v1|v2) looks like a regular expression, and pathType Prefix reads it as plain text',
    ],
    writes: [], // use-regex changes every path of the host
  },
  {
    name: "an expression under Prefix, on a host that reads expressions: the type alone is wrong",
    rule: KT408,
    manifests: ingress(['a.test.com | "/api/(v1|v2)" | Prefix'], { annotations: `${NGINX}/use-regex: "true"` }),
    says: [
      "warning Prefix: Ingress default/i: /api/(v1|v2) is read as a regular expression on this host, and pathType Prefix says plain text",
    ],
    writes: ["ImplementationSpecific"],
  },
  {
    name: "a star copied from another controller",
    rule: KT408,
    manifests: ingress(['a.test.com | "/api/*" | Prefix']),
    says: ['warning "/api/*": Ingress default/i: /api/* ends in a *, which pathType Prefix takes for a character of the path'],
    writes: [], // what it means is the author's to say
  },
  {
    name: "on a controller that knows the star it stands",
    rule: KT408,
    manifests: ingress(['a.test.com | "/api/*" | ImplementationSpecific'], { spec: "ingressClassName: alb" }),
    says: [],
  },
  {
    name: "dots and dashes are no expression",
    rule: KT408,
    manifests: ingress(["a.test.com | /robots.txt | Exact", "a.test.com | /a-b/.well-known/x | Prefix"]),
    says: [],
  },
  {
    name: "a Secret without a key",
    rule: KT409,
    manifests: `{kind: Secret, apiVersion: v1, metadata: {name: a-tls}, data: {tls.crt: LS0t}}\n---\n${ingress(ONE, { spec: "ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: a-tls}]" })}`,
    says: ["error a-tls: Ingress default/i: Secret a-tls is no TLS key pair: it has no tls.key"],
  },
  {
    name: "cert-manager makes it, from an annotation",
    rule: KT409,
    manifests: ingress(ONE, {
      spec: "ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: a-tls}]",
      annotations: "cert-manager.io/cluster-issuer: letsencrypt",
    }),
    says: [],
  },
  {
    name: "cert-manager makes it, from a Certificate",
    rule: KT409,
    manifests: `{kind: Certificate, apiVersion: cert-manager.io/v1, metadata: {name: a}, spec: {secretName: a-tls}}\n---\n${ingress(ONE, { spec: "ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: a-tls}]" })}`,
    says: [],
  },
  {
    name: "a certificate for a host without a rule",
    rule: KT410,
    manifests: ingress(ONE, { spec: "ingressClassName: nginx, tls: [{hosts: [a.test.com, old.example.org], secretName: t}]" }),
    says: ["warning old.example.org: Ingress default/i: the tls section names old.example.org, and no rule is for it"],
  },
  {
    name: "a wildcard covers one label only",
    rule: KT410,
    manifests: ingress(["a.b.test.com | / | Prefix"], { spec: 'ingressClassName: nginx, tls: [{hosts: ["*.test.com"], secretName: t}]' }),
    says: ["warning a.b.test.com: Ingress default/i: the tls section has no certificate for a.b.test.com"],
  },
  {
    name: "http is expected, and https is answered",
    rule: KT410,
    manifests: ingress(ONE, {
      spec: "ingressClassName: nginx, tls: [{hosts: [a.test.com], secretName: t}]",
      annotations: 'ktrace.dev/expect: "curl http://a.test.com/ => 200"',
    }),
    says: [
      'warning "curl http://a.test.com/ => 200": curl http://a.test.com/ is answered with 308 to https: a.test.com has a certificate in Ingress default/i',
    ],
  },
  {
    name: "the bare domain is not covered",
    rule: KT411,
    manifests: ingress(['"*.test.com" | / | Prefix']),
    topology: "hosts: [{name: client, hostsFile: {test.com: 192.168.56.101}}]",
    says: [
      'info "*.test.com": Ingress default/i: *.test.com does not cover test.com, which the hosts file of client leads to 192.168.56.101',
    ],
  },
  {
    name: "TLS spoken to a plain port",
    rule: KT412,
    manifests: ingress(ONE, { annotations: `${NGINX}/backend-protocol: HTTPS` }),
    says: ["warning HTTPS: Ingress default/i speaks HTTPS to a.test.com/'s Service web, whose port 80 is for HTTP"],
    writes: ["HTTP"],
  },
  {
    name: "a UDP port",
    rule: KT412,
    manifests: `{kind: Service, apiVersion: v1, metadata: {name: dns}, spec: {selector: {app: web}, ports: [{port: 53, protocol: UDP}]}}\n---\n${ingress(["a.test.com | / | Prefix | dns, port: {number: 53}"])}`,
    says: ["error {number: 53}: Ingress default/i sends a.test.com/ to port 53 of Service default/dns, which is UDP: no HTTP goes over it"],
  },
  {
    name: "a number with a unit",
    rule: KT413,
    manifests: ingress(ONE, { annotations: `${NGINX}/proxy-read-timeout: 60s` }),
    says: [
      `warning 60s: Ingress default/i: ${NGINX}/proxy-read-timeout is "60s", and ingress-nginx reads a whole number without a unit there`,
    ],
    writes: ['"60"'],
  },
  {
    name: "another controller's annotation",
    rule: KT413,
    manifests: ingress(ONE, { annotations: 'nginx.org/websocket-services: "web"' }),
    says: ['info "web": Ingress default/i is of ingress-nginx, which does not read nginx.org/websocket-services'],
  },
  {
    name: "what everybody may write",
    rule: KT413,
    manifests: ingress(ONE, {
      annotations: `${NGINX}/ssl-redirect: "false", ${NGINX}/use-regex: "true", external-dns.alpha.kubernetes.io/hostname: a.test.com`,
    }),
    says: [],
  },
  {
    name: "no door from outside",
    rule: KT414,
    manifests:
      "{kind: Deployment, apiVersion: apps/v1, metadata: {name: ic2}, spec: {selector: {matchLabels: {app: ic2}}, template: {metadata: {labels: {app: ic2}}, spec: {containers: [{name: c, image: ingress-nginx/controller}]}}}}\n",
    says: [
      "error {containers: [{name: c, image: ingress-nginx/controller}]}: nothing leads from outside to the ingress controller Deployment default/ic2: it has neither hostNetwork nor a host port, and no Service of type NodePort or LoadBalancer selects it",
    ],
  },
  {
    name: "on its nodes' own network it needs none",
    rule: KT414,
    manifests: CONTROLLER,
    says: [],
  },
]);
