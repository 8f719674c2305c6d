/** `kubectl describe service` and `describe ingress` (describeService, describeIngressV1), and the endpoints behind a port. */
import { type Fields, fieldAt, isFields, labelsAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import { firstThree, formatLabels, NONE } from "../get/resource.ts";
import type { ObjectSource } from "../get/select.ts";
import { annotationLines, type Describe, eventLines, labelLines, lineIf, named, namespaceOf, shown } from "./parts.ts";

export const describeService: Describe = (service, source) => {
  const spec = fieldAt(service, "spec");
  const families = textsAt(spec, "ipFamilies");
  return [
    `Name:\t${named(service)}`,
    `Namespace:\t${shown(namespaceOf(service))}`,
    ...labelLines("Labels", labelsAt(service, "metadata", "labels")),
    ...annotationLines(service),
    `Selector:\t${shown(formatLabels(labelsAt(spec, "selector")))}`,
    `Type:\t${shown(textAt(spec, "type"))}`,
    ...lineIf("IP Family Policy", textAt(spec, "ipFamilyPolicy")),
    `IP Families:\t${shown(families.join(",")) || NONE}`,
    `IP:\t${shown(textAt(spec, "clusterIP"))}`,
    `IPs:\t${shown(textsAt(spec, "clusterIPs").join(",")) || NONE}`,
    ...lineIf("External IPs", textsAt(spec, "externalIPs").join(",")),
    ...lineIf("Desired LoadBalancer IP", textAt(spec, "loadBalancerIP")),
    ...lineIf("External Name", textAt(spec, "externalName")),
    ...lineIf("LoadBalancer Ingress", ingressText(service)),
    ...listAt(spec, "ports").flatMap((port) => portLines(service, port, source)),
    `Session Affinity:\t${shown(textAt(spec, "sessionAffinity"))}`,
    ...lineIf("External Traffic Policy", textAt(spec, "externalTrafficPolicy")),
    ...lineIf("Internal Traffic Policy", textAt(spec, "internalTrafficPolicy")),
    ...(typeof fieldAt(spec, "healthCheckNodePort") === "number" ? [`HealthCheck NodePort:\t${fieldAt(spec, "healthCheckNodePort")}`] : []),
    ...lineIf("LoadBalancer Source Ranges", textsAt(spec, "loadBalancerSourceRanges").join(",")),
    ...eventLines(service, source),
  ];
};

/** `203.0.113.1 (VIP), lb.example.com` */
const ingressText = (service: Fields): string =>
  listAt(service, "status", "loadBalancer", "ingress")
    .map((each) => {
      const [ip, mode] = [textAt(each, "ip"), textAt(each, "ipMode")];
      return ip === "" ? textAt(each, "hostname") : mode === "" ? ip : `${ip} (${mode})`;
    })
    .join(", ");

function portLines(service: Fields, port: unknown, source: ObjectSource): string[] {
  const name = shown(textAt(port, "name")) || "<unset>";
  const protocol = shown(textAt(port, "protocol") || "TCP");
  const target = fieldAt(port, "targetPort") ?? fieldAt(port, "port");
  const nodePort = fieldAt(port, "nodePort");
  return [
    `Port:\t${name}\t${fieldAt(port, "port")}/${protocol}`,
    `TargetPort:\t${shown(String(target))}/${protocol}`,
    ...(typeof nodePort === "number" && nodePort > 0 ? [`NodePort:\t${name}\t${nodePort}/${protocol}`] : []),
    `Endpoints:\t${firstThree(endpointsOf(service, textAt(port, "name"), source), "")}`,
  ];
}

/** `ip:port` of the ready endpoints behind a port, from the EndpointSlices, as kubectl from 1.31 on. */
function endpointsOf(service: Fields, portName: string, source: ObjectSource): string[] {
  const [namespace, name] = [namespaceOf(service), textAt(service, "metadata", "name")];
  const slices = source("EndpointSlice").filter(
    (slice) => namespaceOf(slice) === namespace && labelsAt(slice, "metadata", "labels")["kubernetes.io/service-name"] === name,
  );
  return slices.flatMap((slice) =>
    listAt(slice, "ports")
      .filter((port) => textAt(port, "name") === portName)
      .flatMap((port) =>
        listAt(slice, "endpoints")
          .filter((endpoint) => fieldAt(endpoint, "conditions", "ready") !== false)
          .flatMap((endpoint) => textsAt(endpoint, "addresses").map((ip) => socket(ip, fieldAt(port, "port")))),
      ),
  );
}

const socket = (ip: string, port: unknown): string => shown(ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);

export const describeIngress: Describe = (ingress, source) => {
  const spec = fieldAt(ingress, "spec");
  const fallback = fieldAt(spec, "defaultBackend");
  const address = listAt(ingress, "status", "loadBalancer", "ingress").map((each) => textAt(each, "ip") || textAt(each, "hostname"));
  return [
    `Name:\t${named(ingress)}`,
    ...labelLines("Labels", labelsAt(ingress, "metadata", "labels")),
    `Namespace:\t${shown(namespaceOf(ingress))}`,
    `Address:\t${shown(address.join(","))}`,
    `Ingress Class:\t${shown(textAt(spec, "ingressClassName")) || NONE}`,
    `Default backend:\t${isFields(fallback) ? backendText(ingress, fallback, source) : "<default>"}`,
    ...tlsLines(listAt(spec, "tls")),
    "Rules:",
    "  Host\tPath\tBackends",
    "  ----\t----\t--------",
    ...ruleLines(ingress, listAt(spec, "rules"), fallback, source),
    ...annotationLines(ingress),
    ...eventLines(ingress, source),
  ];
};

const tlsLines = (entries: readonly unknown[]): string[] =>
  entries.length === 0
    ? []
    : [
        "TLS:",
        ...entries.map((each) => {
          const hosts = textsAt(each, "hosts").join(",");
          const secret = textAt(each, "secretName");
          return `  ${shown(secret === "" ? `SNI routes ${hosts}` : `${secret} terminates ${hosts}`)}`;
        }),
      ];

function ruleLines(ingress: Fields, rules: readonly unknown[], fallback: unknown, source: ObjectSource): string[] {
  const withPaths = rules.filter((rule) => isFields(fieldAt(rule, "http")));
  if (withPaths.length === 0) return [`  *\t*\t${isFields(fallback) ? backendText(ingress, fallback, source) : "<default>"}`];
  return withPaths.flatMap((rule) => [
    `  ${shown(textAt(rule, "host")) || "*"}\t`,
    ...listAt(rule, "http", "paths").map(
      (path) => `    \t${shown(textAt(path, "path"))} \t${backendText(ingress, fieldAt(path, "backend"), source)}`,
    ),
  ]);
}

/** `tomcat6:80 (10.244.1.11:8080,…)` */
function backendText(ingress: Fields, backend: unknown, source: ObjectSource): string {
  const resource = fieldAt(backend, "resource");
  if (isFields(resource))
    return shown(`APIGroup: ${textAt(resource, "apiGroup")}, Kind: ${textAt(resource, "kind")}, Name: ${textAt(resource, "name")}`);
  const name = textAt(backend, "service", "name");
  const port = fieldAt(backend, "service", "port");
  const [number, portName] = [fieldAt(port, "number"), textAt(port, "name")];
  const head = shown(`${name}:${portName === "" ? String(number ?? "") : portName}`);
  const service = source("Service").find((each) => namespaceOf(each) === namespaceOf(ingress) && textAt(each, "metadata", "name") === name);
  if (service === undefined) return `${head} (<error: services "${shown(name)}" not found>)`;
  const found = listAt(service, "spec", "ports").find((each) =>
    portName === "" ? fieldAt(each, "port") === number : textAt(each, "name") === portName,
  );
  return `${head} (${firstThree(found === undefined ? [] : endpointsOf(service, textAt(found, "name"), source), "")})`;
}
