/** KT412: a proxy that speaks plain HTTP to a TLS socket, or the other way round (ingress-nginx backend-protocol, appProtocol). */
import type { Service, ServicePort } from "../../objects/api.ts";
import {
  backendsOfIngress,
  classesOf,
  isForNginx,
  NGINX_PREFIX,
  namespaceOf,
  type PlacedBackend,
  portOfBackend,
  servicesByName,
} from "../ingress-parts.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT412: Rule = {
  code: "KT412",
  name: "ingress-backend-protocol-mismatch",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "an Ingress speaks another protocol to its backend than the backend's port is for",
  why: "ingress-nginx speaks plain HTTP to pods unless it is told otherwise: a TLS socket answers that with 400, or closes the connection and the client gets 502. A UDP port takes no HTTP connection at all.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: sec}
spec: {selector: {app: web}, ports: [{name: https, port: 443, targetPort: https}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i}
spec: {ingressClassName: nginx, rules: [{host: s.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: sec, port: {name: https}}}}]}}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: sec}
spec: {selector: {app: web}, ports: [{name: https, port: 443, targetPort: https}]}
---
kind: Ingress
apiVersion: networking.k8s.io/v1
metadata: {name: i, annotations: {nginx.ingress.kubernetes.io/backend-protocol: HTTPS}}
spec: {ingressClassName: nginx, rules: [{host: s.test.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: sec, port: {name: https}}}}]}}]}
`,
  },
  check: function* (subject) {
    const services = servicesByName(subject);
    const classes = classesOf(subject);
    for (const ingress of subject.of("Ingress")) {
      const isNginx = isForNginx(ingress, classes);
      for (const placed of backendsOfIngress(ingress)) {
        const service = services.get(`${namespaceOf(ingress)}/${placed.service.name}`);
        const port = service && portOfBackend(service, placed.service);
        if (!service || !port) continue;
        const { protocol = "TCP" } = port;
        if (protocol !== "TCP") yield notTcp(placed, service, port, protocol);
        else if (isNginx) yield* mismatch(placed, service, port);
      }
    }
  },
};

const KEY = `${NGINX_PREFIX}backend-protocol`;
const SECURE: ReadonlySet<string> = new Set(["HTTPS", "GRPCS", "AUTO_HTTP"]);

const isSecure = ({ name = "", port, targetPort, appProtocol = "" }: ServicePort): boolean =>
  appProtocol === ""
    ? /^https(?:-|$)/.test(name) || (name === "" && (port === 443 || port === 8443)) || targetPort === "https"
    : /^(?:https|kubernetes\.io\/wss|wss)$/i.test(appProtocol);
const isPlain = ({ name = "", port, targetPort, appProtocol = "" }: ServicePort): boolean =>
  appProtocol === ""
    ? (/^http(?:-|$)/.test(name) || port === 80) && targetPort !== 443 && targetPort !== 8443 && targetPort !== "https"
    : /^http$/i.test(appProtocol);

function* mismatch({ ingress, shown, field, service: wanted }: PlacedBackend, service: Service, port: ServicePort) {
  const annotations = ingress.metadata.annotations ?? {};
  const spoken = (annotations[KEY] ?? "HTTP").toUpperCase();
  if (annotations[`${NGINX_PREFIX}ssl-passthrough`] === "true" || annotations[`${NGINX_PREFIX}secure-backends`] === "true") return;
  const wrong = isSecure(port) ? !SECURE.has(spoken) : isPlain(port) && (spoken === "HTTPS" || spoken === "GRPCS");
  if (!wrong) return;
  const said = annotations[KEY] !== undefined;
  const at = { source: ingress.source, field: said ? ["metadata", "annotations", KEY] : [...field, "service", "port"] };
  const text = `${port.name ?? port.port}${port.appProtocol ? ` (appProtocol ${port.appProtocol})` : ""}`;
  const right = isSecure(port) ? "HTTPS" : "HTTP";
  yield {
    message: `Ingress ${nameOf(refOf(ingress))} speaks ${spoken} to ${shown}'s Service ${wanted.name}, whose port ${text} is for ${right}`,
    at,
    label: said ? `the port is for ${right}` : "plain HTTP is spoken here",
    related: [
      {
        at: { source: service.source, field: ["spec", "ports", (service.spec?.ports ?? []).indexOf(port)] },
        label: "the port of the Service",
      },
    ],
    help: said ? `write \`${KEY}: ${right}\`` : `add the annotation \`${KEY}: HTTPS\`, or send to the Service's plain port`,
    about: [refOf(ingress), refOf(service)],
    ...(said
      ? { edits: [{ kind: "value" as const, at, text: right }] }
      : { edits: [insertion(ingress.source, ingress.metadata.annotations !== undefined)] }),
  };
}

const insertion = (source: Service["source"], hasAnnotations: boolean) =>
  hasAnnotations
    ? { kind: "insert" as const, at: { source, field: ["metadata", "annotations"] }, text: `${KEY}: HTTPS` }
    : { kind: "insert" as const, at: { source, field: ["metadata"] }, text: `annotations: {${KEY}: HTTPS}` };

const notTcp = ({ ingress, shown, field }: PlacedBackend, service: Service, { port }: ServicePort, protocol: string) => ({
  message: `Ingress ${nameOf(refOf(ingress))} sends ${shown} to port ${port} of Service ${nameOf(refOf(service))}, which is ${protocol}: no HTTP goes over it`,
  at: { source: ingress.source, field: [...field, "service", "port"] },
  label: `the port is ${protocol}`,
  related: [{ at: { source: service.source, field: ["spec", "ports"] }, label: "the ports of the Service" }],
  help: "name a TCP port of the Service",
  about: [refOf(ingress), refOf(service)],
  severity: "error" as const,
});
