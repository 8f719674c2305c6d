/** Ingresses and their classes by themselves: pkg/apis/networking/validation (ValidateIngressCreate, ValidateIngressClass). */
import { parseIp } from "../../net/address.ts";
import type { Ingress, IngressBackend, IngressClass, IngressPath } from "../../objects/api.ts";
import { invalid, required, tooLong, type Violation } from "../../objects/violation.ts";
import { each, faulty, type Path, type ValidationContext } from "./context.ts";
import { serviceNameFaults } from "./metadata.ts";
import { domainPrefixedPathFaults, portFaults, portNameFaults, subdomainFaults, wildcardFaults } from "./names.ts";

const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** Hosts, paths and backends of all rules. */
export function ingressViolations({ spec = {}, metadata }: Ingress, context: ValidationContext): Violation[] {
  const { rules = [], defaultBackend, tls, ingressClassName } = spec;
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  return [
    ...(rules.length > 0 || defaultBackend ? [] : [invalid(["spec"], [], "either `defaultBackend` or `rules` must be specified")]),
    ...(defaultBackend ? backendViolations(defaultBackend, ["spec", "defaultBackend"], context) : []),
    ...each(rules, ({ host = "", http }, i) => [
      ...hostViolations(host, ["spec", "rules", i, "host"]),
      ...(http ? pathsViolations(http.paths ?? [], ["spec", "rules", i, "http", "paths"], context) : []),
    ]),
    ...each(tls, ({ hosts, secretName }, i) => [
      ...each(hosts, (host, j) =>
        faulty(["spec", "tls", i, "hosts", j], host, host.includes("*") ? wildcardFaults(host) : subdomainFaults(host)),
      ),
      ...(secretName ? faulty(["spec", "tls", i, "secretName"], secretName, subdomainFaults(secretName)) : []),
    ]),
    ...(ingressClassName === undefined ? [] : faulty(["spec", "ingressClassName"], ingressClassName, subdomainFaults(ingressClassName))),
    ...(annotation !== undefined && ingressClassName !== undefined && annotation !== ingressClassName
      ? [
          invalid(["metadata", "annotations", CLASS_ANNOTATION], annotation, "must match `ingressClassName` when both are specified", {
            help: "remove the annotation",
          }),
        ]
      : []),
  ];
}

function hostViolations(host: string, path: Path): Violation[] {
  if (host === "") return [];
  const isAddress = parseIp(host) !== undefined;
  const help = "a host is a name alone: no scheme, no port, no path";
  return [
    ...(isAddress
      ? [invalid(path, host, "must be a DNS name, not an IP address", { help: "leave host out to serve every name and address" })]
      : []),
    ...faulty(path, host, host.includes("*") ? wildcardFaults(host) : subdomainFaults(host), { help }),
  ];
}

function pathsViolations(paths: readonly IngressPath[], at: Path, context: ValidationContext): Violation[] {
  if (paths.length === 0) return [required(at)];
  return each(paths, (path, i) => [
    ...pathViolations(path, [...at, i]),
    ...(path.pathType === undefined ? [] : backendViolations(path.backend, [...at, i, "backend"], context)),
  ]);
}

const FORBIDDEN_PARTS = ["//", "/./", "/../", "%2f", "%2F"];
const FORBIDDEN_ENDS = ["/..", "/."];

function pathViolations({ path = "", pathType }: IngressPath, at: Path): Violation[] {
  const field = [...at, "path"];
  if (pathType === undefined)
    return [
      required([...at, "pathType"], "pathType must be specified", { help: "write pathType: Prefix, Exact or ImplementationSpecific" }),
    ];
  const isFree = pathType === "ImplementationSpecific";
  const absolute =
    path.startsWith("/") || (isFree && path === "") ? [] : [invalid(field, path, "must be an absolute path", { help: "begin it with /" })];
  if (isFree) return absolute;
  return [
    ...absolute,
    ...FORBIDDEN_PARTS.filter((part) => path.includes(part)).map((part) => invalid(field, path, `must not contain '${part}'`)),
    ...FORBIDDEN_ENDS.filter((end) => path.endsWith(end)).map((end) => invalid(field, path, `cannot end with '${end}'`)),
  ];
}

function backendViolations({ service, resource }: IngressBackend, at: Path, context: ValidationContext): Violation[] {
  if (service && resource) return [invalid(at, "", "cannot set both resource and service backends", { help: "remove one" })];
  if (resource)
    return [
      ...(resource.kind === "" ? [required([...at, "resource", "kind"])] : []),
      ...(resource.name === "" ? [required([...at, "resource", "name"])] : []),
    ];
  if (!service) return [invalid(at, "", "resource or service backend is required", { help: "add service: {name: …, port: {number: …}}" })];
  const { name = "", number = 0 } = service.port ?? {};
  const port = [...at, "service", "port"];
  return [
    ...faulty([...at, "service", "name"], service.name, serviceNameFaults(service.name, context)),
    ...(name !== "" && number !== 0
      ? [invalid(at, "", "cannot set both port name & port number", { help: "remove one" })]
      : name !== ""
        ? faulty([...port, "name"], name, portNameFaults(name), { help: "a number belongs under port.number, without quotes" })
        : number !== 0
          ? faulty([...port, "number"], number, portFaults(number))
          : [required(at, "port name or number is required", { help: "add service.port.number, the port of the Service" })]),
  ];
}

const LONGEST_CONTROLLER = 250;

/** The controller's name: `acme.io/foo`. */
export function ingressClassViolations({ spec = {} }: IngressClass): Violation[] {
  const { controller = "", parameters } = spec;
  const path = ["spec", "controller"];
  return [
    ...(controller === ""
      ? [required(path)]
      : [
          ...(controller.length > LONGEST_CONTROLLER ? [tooLong(path, LONGEST_CONTROLLER)] : []),
          ...faulty(path, controller, domainPrefixedPathFaults(controller), { help: "for ingress-nginx write k8s.io/ingress-nginx" }),
        ]),
    ...(parameters === undefined ? [] : parametersViolations(parameters)),
  ];
}

function parametersViolations({ kind = "", name = "" }: NonNullable<NonNullable<IngressClass["spec"]>["parameters"]>): Violation[] {
  const at = ["spec", "parameters"];
  return [...(kind === "" ? [required([...at, "kind"])] : []), ...(name === "" ? [required([...at, "name"])] : [])];
}
