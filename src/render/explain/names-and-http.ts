/** No address was found for the name, or a proxy answered itself. */
import type { Explanation } from "./reasons.ts";

type Upper =
  | "name-not-found"
  | "no-address"
  | "name-loop"
  | "dns-unreachable"
  | "ingress-no-match"
  | "ingress-no-endpoints"
  | "upstream-failed"
  | "upstream-timeout"
  | "backend-invalid"
  | "ingress-denied"
  | "redirected"
  | "tls-failed";

export const NAMES_AND_HTTP: Readonly<Record<Upper, Explanation>> = {
  "name-not-found": {
    title: "no such name",
    what: "Every candidate of the search list was asked and each answer was NXDOMAIN, or the machine has no resolver that knows the name.",
    why: "pod: tomcat6 > tomcat6.default.svc.cluster.local ? NXDOMAIN > tomcat6.svc.cluster.local ? NXDOMAIN > ...",
    fix: [
      "For a Service in another namespace write NAME.NAMESPACE.",
      "Service names resolve inside the cluster only; from outside use a node's address or an Ingress host.",
      "For an outside machine: add the name to its `hostsFile`, or to `dns.records`, in the topology file.",
    ],
    clientSees: "curl: (6) Could not resolve host.",
  },
  "no-address": {
    title: "the name exists, but has no record of that type",
    what: "The answer was NOERROR without a record: the name has no IPv4 or no IPv6 address, whichever was asked for.",
    why: "client: AAAA tomcat6...? > NOERROR, 0 answers",
    fix: [
      "Ask for the family that the Service has (`curl -4`, `-6`).",
      "Give the Service both families: `ipFamilyPolicy: PreferDualStack`.",
    ],
    clientSees: "curl: (6) Could not resolve host.",
  },
  "name-loop": {
    title: "aliases turn in a circle",
    what: "A CNAME (an ExternalName Service) leads to another name, and in the end back to the first.",
    why: "a > CNAME b > CNAME a > ...",
    fix: ["Let one of the ExternalName Services name the real target."],
    clientSees: "curl: (6) Could not resolve host.",
  },
  "dns-unreachable": {
    title: "the DNS server did not answer",
    what: "The name was never looked up: the query itself was lost or refused. The dns leg of the trace shows where.",
    why: "pod > 10.96.0.10:53 > ... no answer; the resolver tries again for 10 s or longer",
    fix: [
      "Read the dns leg: its end has the real reason.",
      "If a NetworkPolicy restricts egress, allow UDP and TCP 53 to kube-dns.",
      "See that kube-dns has ready endpoints.",
    ],
    clientSees: "curl: (6) Could not resolve host, or (28) after the resolver's timeout.",
  },
  "ingress-no-match": {
    title: "no Ingress rule matches host and path",
    what: "The controller got the request, found no rule for its Host header and path, and answered 404 from its default backend.",
    why: "client > controller: Host: node2 > no server block of that name > default backend: 404",
    fix: [
      "Ask with the host of the rule: `curl -H 'Host: www.test.com' ...`, or by a name that resolves to the controller.",
      "Check pathType: Exact matches nothing but the path itself.",
      "If the Ingress names no class, or another one, this controller ignores it.",
    ],
    clientSees: "HTTP 404; curl returns 0 without -f.",
  },
  "ingress-no-endpoints": {
    title: "the Ingress backend has no endpoint",
    what: "A rule matched, but its Service is missing, lacks the port, or has no ready pod. The controller answered 503.",
    why: "client > controller: rule matches > upstream list is empty > 503",
    fix: [
      "The backend's `service.port` must be a port of the Service, not the pod's own.",
      "See that the Service selects ready pods: `ktrace get endpoints`.",
    ],
    clientSees: "HTTP 503; curl returns 0 without -f.",
  },
  "upstream-failed": {
    title: "the proxy could not connect to the backend",
    what: "The controller tried its backend and was refused, or the connection broke: 502. The last leg shows where.",
    why: "client > controller > pod:port: connection refused > 502 to the client",
    fix: [
      "Make targetPort the port that the pod really listens on.",
      "If the pod speaks TLS, tell the controller (ingress-nginx: annotation backend-protocol: HTTPS).",
    ],
    clientSees: "HTTP 502; curl returns 0 without -f.",
  },
  "upstream-timeout": {
    title: "the proxy's connection to the backend timed out",
    what: "The controller tried its backend and heard nothing: 504. The last leg shows where the packet was lost.",
    why: "client > controller > pod:port: silence > 504 to the client",
    fix: ["Read the last leg: its end has the real reason, often a NetworkPolicy that does not list the controller's namespace or node."],
    clientSees: "HTTP 504 after the proxy's timeout (ingress-nginx: 5 s to connect); curl returns 0 without -f.",
  },
  "backend-invalid": {
    title: "the route names a backend that cannot be used",
    what: "A Gateway API route matched, but its backendRefs name nothing valid. The specification asks for 500.",
    why: "client > gateway: HTTPRoute matches > backendRef does not resolve > 500",
    fix: ["Correct the backendRef: name, port and kind.", "For a backend of another namespace, add a ReferenceGrant there."],
    clientSees: "HTTP 500; curl returns 0 without -f.",
  },
  "ingress-denied": {
    title: "the proxy denies the request",
    what: "The controller answered 401, 403 or 413 itself, by a rule of the Ingress: authentication, an allowed source range, or the body's size.",
    why: "client > controller: rule matches > access rule says no",
    fix: [
      "Send what the rule asks for, or ask from an allowed address.",
      "Remember that behind a masquerading node port the controller sees the node's address, not the client's.",
    ],
    clientSees: "HTTP 401, 403 or 413; curl returns 0 without -f.",
  },
  redirected: {
    title: "the proxy redirects, and the client does not follow",
    what: "The answer is a redirect, usually from http to https because the Ingress has a TLS section. The backend was not asked.",
    why: "client > controller: http, rule has tls > 308 Location: https://...",
    fix: ["Ask the https URL, or let curl follow with -L.", 'ingress-nginx: annotation ssl-redirect: "false" serves both.'],
    clientSees: "HTTP 301 or 308; curl returns 0.",
  },
  "tls-failed": {
    title: "the TLS handshake failed",
    what: "The certificate does not fit the name or is not trusted, or one side does not speak TLS.",
    why: "client > proxy: ClientHello with SNI > the default certificate, or no TLS at all",
    fix: [
      "See that the Ingress names a TLS secret for this host, and that the secret exists in its namespace.",
      "For a test, curl -k accepts any certificate.",
    ],
    clientSees: "curl: (60) SSL certificate problem, or (35) handshake failure.",
  },
};
