/** What the API server refuses, kind by kind: a manifest, the text that the finding points at, and the sentence (pkg/apis/*\/validation). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decideCluster } from "../../src/cluster/decide.ts";
import { readInput } from "../../src/manifests/input.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";

/** `text pointed at | code sentence`, in the order in which they are said; none when the object is taken. */
type Row = readonly [why: string, manifest: string, ...says: string[]];

const service = (spec: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: ${spec}\n`;
const endpoints = (subsets: string) => `apiVersion: v1\nkind: Endpoints\nmetadata: {name: db}\nsubsets: ${subsets}\n`;
const slice = (rest: string) => `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db}\n${rest}\n`;
const ingress = (spec: string, metadata = "{name: web}") =>
  `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: ${metadata}\nspec: ${spec}\n`;
const backend = "backend: {service: {name: web, port: {number: 80}}}";
const path = (text: string) => ingress(`{rules: [{http: {paths: [${text}]}}]}`);
const ingressClass = (spec: string) => `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: ${spec}\n`;
const policy = (spec: string) => `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: ${spec}\n`;
const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: ${spec}\n`;
const containers = (ports: string) => pod(`{containers: [{name: c, image: x, ports: ${ports}}]}`);
const probe = (text: string) => pod(`{containers: [{name: c, image: x, readinessProbe: ${text}}]}`);
const named = (kind: string, metadata: string) => `apiVersion: v1\nkind: ${kind}\nmetadata: ${metadata}\n`;
const template = "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}";
const deployment = (spec: string) => `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: ${spec}\n`;
const job = (spec: string) => `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: ${spec}\n`;

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const PORT = "must be between 1 and 65535, inclusive";
const BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const INT32 = "(json: cannot unmarshal string into Go value of type int32)";

const rows: readonly Row[] = [
  ["Service: port", service("{ports: [{port: 70000}]}"), `70000 | KT008 spec.ports[0].port: Invalid value: 70000: ${PORT}`],
  ["Service: port 0", service("{ports: [{port: 0}]}"), `0 | KT008 spec.ports[0].port: Invalid value: 0: ${PORT}`],
  ["Service: no port", service("{ports: [{}]}"), `{} | KT008 spec.ports[0].port: Invalid value: 0: ${PORT}`],
  [
    "Service: port as text",
    service('{ports: [{port: "80"}]}'),
    `"80" | KT008 spec.ports[0].port must be a whole number, not the text "80" ${INT32}`,
  ],
  [
    "Service: half a port",
    service("{ports: [{port: 80.5}]}"),
    "80.5 | KT008 spec.ports[0].port must be a whole number, not 80.5 (json: cannot unmarshal number 80.5 into Go value of type int32)",
  ],
  [
    "Service: protocol",
    service("{ports: [{port: 80, protocol: HTTP}]}"),
    'HTTP | KT008 spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    "Service: type",
    service("{type: Nodeport, ports: [{port: 80}]}"),
    'Nodeport | KT008 spec.type: Unsupported value: "Nodeport": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  [
    "Service: a node port beyond all ranges",
    service("{type: NodePort, ports: [{port: 80, nodePort: 70000}]}"),
    "70000 | KT301 spec.ports[0].nodePort: Invalid value: 70000: provided port is not in the valid range",
  ],
  [
    "Service: a node port outside the cluster's",
    service("{type: NodePort, ports: [{port: 80, nodePort: 8080}]}"),
    "8080 | KT301 spec.ports[0].nodePort: Invalid value: 8080: provided port is not in the valid range. The range of valid ports is 30000-32767",
  ],
  [
    "Service: a cluster address outside the range",
    service("{clusterIP: 192.168.0.1, ports: [{port: 80}]}"),
    '192.168.0.1 | KT111 spec.clusterIPs: Invalid value: ["192.168.0.1"]: failed to allocate IP 192.168.0.1: the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12',
  ],
  [
    "Service: octets with leading zeros",
    service("{clusterIP: 10.96.010.10, ports: [{port: 80}]}"),
    '10.96.010.10 | KT009 spec.clusterIP: Invalid value: "10.96.010.10": must not have leading 0s',
  ],
  [
    "Service: no address",
    service("{clusterIP: auto, ports: [{port: 80}]}"),
    `auto | KT008 spec.clusterIP: Invalid value: "auto": ${BAD_IP}`,
  ],
  [
    "Service: host bits in a range",
    service("{type: LoadBalancer, loadBalancerSourceRanges: [10.1.2.3/8], ports: [{port: 80}]}"),
    '10.1.2.3/8 | KT009 spec.loadBalancerSourceRanges[0]: Invalid value: "10.1.2.3/8": must not have bits set beyond the prefix length',
  ],
  [
    "Service: IPv4 in IPv6",
    service('{externalIPs: ["::ffff:198.51.100.1"], ports: [{port: 80}]}'),
    '"::ffff:198.51.100.1" | KT009 spec.externalIPs[0]: Invalid value: "::ffff:198.51.100.1": must not be an IPv4-mapped IPv6 address',
  ],
  [
    "Service: affinity without end",
    service("{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}, ports: [{port: 80}]}"),
    "90000 | KT008 spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400",
  ],
  [
    "Service: a selector that is a list",
    service("{selector: [app], ports: [{port: 80}]}"),
    "[app] | KT008 spec.selector must be a mapping (key: value), not a list",
  ],
  [
    "Service: a selector's value as a number",
    service("{selector: {version: 1.20}, ports: [{port: 80}]}"),
    "1.20 | KT008 spec.selector.version must be text, not 1.2 (json: cannot unmarshal number into Go value of type string)",
  ],
  [
    "Service: a selector no label can match",
    service("{selector: {app: my app}, ports: [{port: 80}]}"),
    `my app | KT008 spec.selector.app: Invalid value: "my app": ${LABEL_VALUE}`,
  ],
  [
    "Service: name",
    named("Service", "{name: web.shop}").concat("spec: {ports: [{port: 80}]}\n"),
    'web.shop | KT008 metadata.name: Invalid value: "web.shop": must not contain dots',
  ],

  ["Endpoints: taken", endpoints("[{addresses: [{ip: 10.1.2.3}], ports: [{port: 5432}]}]")],
  [
    "Endpoints: loopback",
    endpoints("[{addresses: [{ip: 127.0.0.1}], ports: [{port: 80}]}]"),
    '127.0.0.1 | KT122 subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    "Endpoints: link-local, among those not ready",
    endpoints("[{notReadyAddresses: [{ip: 169.254.169.254}], ports: [{port: 80}]}]"),
    '169.254.169.254 | KT122 subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.169.254": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  ],
  [
    "Endpoints: a name for an address",
    endpoints("[{addresses: [{ip: db.example.com}]}]"),
    `db.example.com | KT008 subsets[0].addresses[0].ip: Invalid value: "db.example.com": ${BAD_IP}`,
  ],
  [
    "Endpoints: no addresses",
    endpoints("[{ports: [{port: 80}]}]"),
    "{ports: [{port: 80}]} | KT008 subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
  ],
  [
    "Endpoints: two ports, no names",
    endpoints("[{addresses: [{ip: 10.1.2.3}], ports: [{port: 80}, {port: 81, name: b}]}]"),
    "{port: 80} | KT008 subsets[0].ports[0].name: Required value",
  ],
  [
    "Endpoints: port",
    endpoints("[{addresses: [{ip: 10.1.2.3}], ports: [{port: 0}]}]"),
    `0 | KT008 subsets[0].ports[0].port: Invalid value: 0: ${PORT}`,
  ],

  ["EndpointSlice: taken", slice("addressType: IPv4\nendpoints: [{addresses: [10.1.2.3]}]\nports: [{port: 80}]")],
  [
    "EndpointSlice: type",
    slice("addressType: IP\nendpoints: [{addresses: [10.1.2.3]}]"),
    'IP | KT008 addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"',
  ],
  [
    "EndpointSlice: no type",
    slice("endpoints: [{addresses: [10.1.2.3]}]"),
    "apiVersion: discovery.k8s.io/v1 | KT008 addressType: Required value",
  ],
  [
    "EndpointSlice: an address of the other family",
    slice("addressType: IPv6\nendpoints: [{addresses: [10.1.2.3]}]"),
    '10.1.2.3 | KT008 endpoints[0].addresses[0]: Invalid value: "10.1.2.3": must be a valid IPv6 address',
  ],
  [
    "EndpointSlice: no addresses",
    slice("addressType: IPv4\nendpoints: [{addresses: []}]"),
    "[] | KT008 endpoints[0].addresses: Required value: must contain at least 1 address",
  ],
  [
    "EndpointSlice: one port name twice",
    slice("addressType: IPv4\nendpoints: [{addresses: [10.1.2.3]}]\nports: [{port: 80}, {port: 81}]"),
    '{port: 81} | KT008 ports[1].name: Duplicate value: ""',
  ],
  [
    "EndpointSlice: nobody's address",
    slice("addressType: IPv4\nendpoints: [{addresses: [0.0.0.0]}]"),
    '0.0.0.0 | KT122 endpoints[0].addresses[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0, ::)',
  ],

  ["Ingress: taken", path(`{path: /, pathType: Prefix, ${backend}}`)],
  [
    "Ingress: nothing in it",
    ingress("{ingressClassName: nginx}"),
    "{ingressClassName: nginx} | KT008 spec: Invalid value: []: either `defaultBackend` or `rules` must be specified",
  ],
  [
    "Ingress: no pathType",
    path(`{path: /, ${backend}}`),
    "{path: /, backend: {service: {name: web, port: {number: 80}}}} | KT008 spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
  ],
  [
    "Ingress: a pathType of another tongue",
    path(`{path: /, pathType: prefix, ${backend}}`),
    'prefix | KT008 spec.rules[0].http.paths[0].pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"',
  ],
  [
    "Ingress: a relative path",
    path(`{path: api, pathType: Prefix, ${backend}}`),
    'api | KT008 spec.rules[0].http.paths[0].path: Invalid value: "api": must be an absolute path',
  ],
  [
    "Ingress: two slashes",
    path(`{path: /a//b, pathType: Exact, ${backend}}`),
    `/a//b | KT008 spec.rules[0].http.paths[0].path: Invalid value: "/a//b": must not contain '//'`,
  ],
  [
    "Ingress: a path that goes up",
    path(`{path: /a/.., pathType: Prefix, ${backend}}`),
    `/a/.. | KT008 spec.rules[0].http.paths[0].path: Invalid value: "/a/..": cannot end with '/..'`,
  ],
  ["Ingress: no paths", ingress("{rules: [{http: {paths: []}}]}"), "[] | KT008 spec.rules[0].http.paths: Required value"],
  [
    "Ingress: an address for a host",
    ingress(`{rules: [{host: 192.168.56.101}], defaultBackend: {service: {name: web, port: {number: 80}}}}`),
    '192.168.56.101 | KT008 spec.rules[0].host: Invalid value: "192.168.56.101": must be a DNS name, not an IP address',
  ],
  [
    "Ingress: a host with its port",
    ingress("{rules: [{host: 'www.test.com:8080'}]}"),
    `'www.test.com:8080' | KT008 spec.rules[0].host: Invalid value: "www.test.com:8080": ${SUBDOMAIN}`,
  ],
  [
    "Ingress: a wildcard in the middle",
    ingress("{rules: [{host: 'www.*.com'}]}"),
    `'www.*.com' | KT008 spec.rules[0].host: Invalid value: "www.*.com": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ],
  [
    "Ingress: port by name and number",
    ingress("{defaultBackend: {service: {name: web, port: {name: http, number: 80}}}}"),
    '{service: {name: web, port: {name: http, number: 80}}} | KT008 spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
  ],
  [
    "Ingress: no port",
    ingress("{defaultBackend: {service: {name: web}}}"),
    "{service: {name: web}} | KT008 spec.defaultBackend: Required value: port name or number is required",
  ],
  [
    "Ingress: a number among the names",
    ingress('{defaultBackend: {service: {name: web, port: {name: "80"}}}}'),
    '"80" | KT008 spec.defaultBackend.service.port.name: Invalid value: "80": must contain at least one letter (a-z)',
  ],
  [
    "Ingress: no backend",
    ingress("{defaultBackend: {}}"),
    '{} | KT008 spec.defaultBackend: Invalid value: "": resource or service backend is required',
  ],
  [
    "Ingress: two backends",
    ingress("{defaultBackend: {service: {name: web, port: {number: 80}}, resource: {kind: Bucket, name: b}}}"),
    '{service: {name: web, port: {number: 80}}, resource: {kind: Bucket, name: b}} | KT008 spec.defaultBackend: Invalid value: "": cannot set both resource and service backends',
  ],
  [
    "Ingress: two classes",
    ingress(
      "{ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}",
      "{name: web, annotations: {kubernetes.io/ingress.class: traefik}}",
    ),
    'traefik | KT008 metadata.annotations[kubernetes.io/ingress.class]: Invalid value: "traefik": must match `ingressClassName` when both are specified',
  ],

  ["IngressClass: taken", ingressClass("{controller: k8s.io/ingress-nginx}")],
  ["IngressClass: no controller", ingressClass("{}"), "{} | KT008 spec.controller: Required value"],
  [
    "IngressClass: a controller without its domain",
    ingressClass("{controller: nginx}"),
    'nginx | KT008 spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
  ],

  [
    "NetworkPolicy: taken",
    policy(
      "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80, endPort: 90}]}]}",
    ),
  ],
  [
    "NetworkPolicy: a range downwards",
    policy("{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 79}]}]}"),
    "79 | KT008 spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`",
  ],
  [
    "NetworkPolicy: a range from a name",
    policy("{podSelector: {}, ingress: [{ports: [{port: http, endPort: 90}]}]}"),
    "90 | KT008 spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric",
  ],
  [
    "NetworkPolicy: a range from nowhere",
    policy("{podSelector: {}, ingress: [{ports: [{endPort: 90}]}]}"),
    "90 | KT008 spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified",
  ],
  [
    "NetworkPolicy: a peer that is nobody",
    policy("{podSelector: {}, ingress: [{from: [{}]}]}"),
    "{} | KT008 spec.ingress[0].from[0]: Required value: must specify a peer",
  ],
  [
    "NetworkPolicy: two peers in one",
    policy("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}"),
    "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}} | KT008 spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer",
  ],
  [
    "NetworkPolicy: an exception outside",
    policy("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [192.168.0.0/16]}}]}]}"),
    '192.168.0.0/16 | KT008 spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "192.168.0.0/16": must be a strict subset of `cidr`',
  ],
  [
    "NetworkPolicy: no prefix",
    policy("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.1}}]}]}"),
    '10.0.0.1 | KT008 spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.1": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
  [
    "NetworkPolicy: In nothing",
    policy("{podSelector: {matchExpressions: [{key: app, operator: In}]}}"),
    "{key: app, operator: In} | KT008 spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    "NetworkPolicy: Exists in something",
    policy("{podSelector: {matchExpressions: [{key: app, operator: Exists, values: [a]}]}}"),
    "[a] | KT008 spec.podSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
  ],

  ["Pod: taken", containers("[{name: http, containerPort: 8080, hostPort: 80}]")],
  ["Pod: no containers", pod("{containers: []}"), "[] | KT008 spec.containers: Required value"],
  ["Pod: no image", pod("{containers: [{name: c}]}"), "{name: c} | KT008 spec.containers[0].image: Required value"],
  [
    "Pod: a container's name",
    pod("{containers: [{name: My_App, image: x}]}"),
    `My_App | KT008 spec.containers[0].name: Invalid value: "My_App": ${LABEL}`,
  ],
  [
    "Pod: two containers of one name",
    pod("{containers: [{name: c, image: x}, {name: c, image: x}]}"),
    'c | KT008 spec.containers[1].name: Duplicate value: "c"',
  ],
  [
    "Pod: container port",
    containers("[{containerPort: 80000}]"),
    `80000 | KT008 spec.containers[0].ports[0].containerPort: Invalid value: 80000: ${PORT}`,
  ],
  [
    "Pod: a long port name",
    containers("[{containerPort: 80, name: prometheus-metrics}]"),
    'prometheus-metrics | KT208 spec.containers[0].ports[0].name: Invalid value: "prometheus-metrics": must be no more than 15 bytes',
  ],
  [
    "Pod: one port name twice",
    containers("[{containerPort: 80, name: a}, {containerPort: 81, name: a}]"),
    'a | KT208 spec.containers[0].ports[1].name: Duplicate value: "a"',
  ],
  [
    "Pod: one host port twice",
    containers("[{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]"),
    '80 | KT205 spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
  ],
  [
    "Pod: host port on the host's network",
    pod("{hostNetwork: true, containers: [{name: c, image: x, ports: [{containerPort: 80, hostPort: 8080}]}]}"),
    "80 | KT205 spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true",
  ],
  [
    "Pod: a probe's port",
    probe("{httpGet: {port: 0}}"),
    `0 | KT008 spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: ${PORT}`,
  ],
  [
    "Pod: a probe's port in quotes",
    probe('{tcpSocket: {port: "8080"}}'),
    '"8080" | KT008 spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "8080": must contain at least one letter (a-z)',
  ],
  [
    "Pod: a probe of nothing",
    probe("{periodSeconds: 5}"),
    "{periodSeconds: 5} | KT008 spec.containers[0].readinessProbe: Required value: must specify a handler type",
  ],
  [
    "Pod: two probes in one",
    probe("{httpGet: {port: 80}, tcpSocket: {port: 80}}"),
    "{port: 80} | KT008 spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
  ],
  [
    "Pod: a probe of an init container",
    pod("{initContainers: [{name: i, image: x, readinessProbe: {tcpSocket: {port: 80}}}], containers: [{name: c, image: x}]}"),
    "{tcpSocket: {port: 80}} | KT008 spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
  ],
  [
    "Pod: dnsPolicy None alone",
    pod("{dnsPolicy: None, containers: [{name: c, image: x}]}"),
    "{dnsPolicy: None, containers: [{name: c, image: x}]} | KT705 spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
  ],
  [
    "Pod: four name servers",
    pod("{dnsConfig: {nameservers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]}, containers: [{name: c, image: x}]}"),
    '[10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4] | KT705 spec.dnsConfig.nameservers: Invalid value: ["10.0.0.1","10.0.0.2","10.0.0.3","10.0.0.4"]: must not have more than 3 nameservers',
  ],
  [
    "Pod: a name for a name server",
    pod("{dnsConfig: {nameservers: [ns.example.com]}, containers: [{name: c, image: x}]}"),
    `ns.example.com | KT008 spec.dnsConfig.nameservers[0]: Invalid value: "ns.example.com": ${BAD_IP}`,
  ],
  [
    "Pod: a host name with dots",
    pod("{hostname: a.b, containers: [{name: c, image: x}]}"),
    'a.b | KT008 spec.hostname: Invalid value: "a.b": must not contain dots',
  ],
  [
    "Pod: a toleration of nothing",
    pod("{tolerations: [{effect: NoSchedule}], containers: [{name: c, image: x}]}"),
    '{effect: NoSchedule} | KT008 spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    "Pod: a name that is none",
    named("Pod", '{name: "My Pod"}').concat("spec: {containers: [{name: c, image: x}]}\n"),
    `"My Pod" | KT008 metadata.name: Invalid value: "My Pod": ${SUBDOMAIN}`,
  ],
  [
    "Pod: a label with a space",
    named("Pod", '{name: p, labels: {app: "a b"}}').concat("spec: {containers: [{name: c, image: x}]}\n"),
    `"a b" | KT008 metadata.labels.app: Invalid value: "a b": ${LABEL_VALUE}`,
  ],

  ["Namespace: a dot", named("Namespace", "{name: a.b}"), 'a.b | KT008 metadata.name: Invalid value: "a.b": must not contain dots'],
  ["Deployment: taken", deployment(`{selector: {matchLabels: {app: web}}, ${template}}`)],
  [
    "Deployment: no selector",
    deployment(`{${template}}`),
    "{template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}} | KT008 spec.selector: Required value",
  ],
  [
    "Deployment: an empty selector",
    deployment(`{selector: {}, ${template}}`),
    "{} | KT008 spec.selector: Invalid value: {}: empty selector is invalid for deployment",
  ],
  [
    "Deployment: labels that the selector misses",
    deployment(`{selector: {matchLabels: {app: wbe}}, ${template}}`),
    '{app: web} | KT201 spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ],
  [
    "Deployment: no template",
    deployment("{selector: {matchLabels: {app: web}}}"),
    "{selector: {matchLabels: {app: web}}} | KT008 spec.template: Required value",
  ],
  [
    "Deployment: negative replicas",
    deployment(`{replicas: -1, selector: {matchLabels: {app: web}}, ${template}}`),
    "-1 | KT008 spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "Deployment: pods that do not restart",
    deployment(
      "{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}",
    ),
    'Never | KT008 spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    "Deployment: a container port in the template",
    deployment(
      "{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 80, name: HTTP}]}]}}}",
    ),
    'HTTP | KT208 spec.template.spec.containers[0].ports[0].name: Invalid value: "HTTP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'HTTP | KT208 spec.template.spec.containers[0].ports[0].name: Invalid value: "HTTP": must contain at least one letter (a-z)',
  ],
  [
    "Job: pods that always restart",
    job("{template: {spec: {containers: [{name: c, image: x}]}}}"),
    '{containers: [{name: c, image: x}]} | KT008 spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  ["what a live cluster holds was taken once", named("Pod", '{name: "My Pod", uid: u}').concat("spec: {containers: [{name: c}]}\n")],
];
for (const [why, manifest, ...says] of rows) test(why, () => assert.deepEqual(refusals(manifest), says));

/** What reading and deciding say of the one object in the text; its name is cut, the help is not asked for. */
function refusals(text: string): string[] {
  const input = (() => {
    try {
      return readInput({ files: ["-"], cwd: "/", stdin: () => text });
    } catch (error) {
      if (error instanceof UsageError) return error;
      throw error;
    }
  })();
  const lines = text.split("\n");
  const decided = input instanceof UsageError ? [] : decideCluster(input.objects, input.topology).diagnostics;
  return [...input.diagnostics, ...decided]
    .filter(({ severity }) => severity === "error")
    .map(({ at, code, message }) => {
      const place = at !== undefined && "source" in at && !(input instanceof UsageError) ? input.sources.place(at.source, at.field) : at;
      const where =
        place !== undefined && "line" in place ? (lines[place.line - 1] ?? "").slice(place.column - 1, place.endColumn - 1) : "?";
      return `${where} | ${code} ${message.replace(/^\w+( [^ :]+)?: |^Pod default\/My Pod: /, "")}`;
    });
}

test("a refused object is not there, and makes nothing", () => {
  const input = readInput({
    files: ["-"],
    cwd: "/",
    stdin: () =>
      [
        deployment(`{selector: {matchLabels: {app: other}}, ${template}}`),
        containers("[{containerPort: 80}]"),
        service("{ports: [{port: 80}]}"),
      ].join("---\n"),
  });
  const cluster = decideCluster(input.objects, input.topology);
  assert.deepEqual(
    cluster.pods.map(({ name }) => name),
    ["p"],
  );
  assert.deepEqual(cluster.workloads, []);
  assert.match(
    cluster.diagnostics.find(({ code }) => code === "KT201")?.help ?? "",
    /^give the template the label app: other, or change spec\.selector; the API server refuses the Deployment, so it is left out$/,
  );
});
