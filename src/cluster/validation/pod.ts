/**
 * The spec of a pod, or of a template: pkg/apis/core/validation (ValidatePodSpec), as far as it reaches the network, names or
 * placement. Not checked: volumes, resources, security contexts, affinity.
 */
import type { PodSpec } from "../../objects/api.ts";
import { duplicate, invalid, notSupported, required, type Violation } from "../../objects/violation.ts";
import { atLeast } from "../version.ts";
import { ipViolations } from "./addresses.ts";
import { containerViolations, hostPortKey } from "./container.ts";
import { createSeen, each, faulty, type Path, type ValidationContext } from "./context.ts";
import { labelsViolations } from "./metadata.ts";
import { labelFaults, qualifiedNameFaults, subdomainFaults } from "./names.ts";

/** `at`: where the spec is, ["spec"] of a Pod. */
export function podSpecViolations(spec: PodSpec, at: Path, context: ValidationContext): Violation[] {
  const { hostname, subdomain, nodeName } = spec;
  return [
    ...containersViolations(spec, at, context),
    ...dnsViolations(spec, at, context),
    ...(hostname ? faulty([...at, "hostname"], hostname, labelFaults(hostname)) : []),
    ...(subdomain ? faulty([...at, "subdomain"], subdomain, labelFaults(subdomain)) : []),
    ...(nodeName ? faulty([...at, "nodeName"], nodeName, subdomainFaults(nodeName)) : []),
    ...labelsViolations(spec.nodeSelector, [...at, "nodeSelector"]),
    ...tolerationsViolations(spec, at),
    ...each(spec.hostAliases, ({ ip, hostnames }, i) => [
      ...ipViolations([...at, "hostAliases", i, "ip"], ip, context.version),
      ...each(hostnames, (name, j) => faulty([...at, "hostAliases", i, "hostnames", j], name, subdomainFaults(name))),
    ]),
  ];
}

function containersViolations(spec: PodSpec, at: Path, context: ValidationContext): Violation[] {
  const { containers = [], initContainers = [], hostNetwork = false } = spec;
  const [hasName, hasHostPort] = [createSeen(), createSeen()];
  const ofList = (list: "containers" | "initContainers"): Violation[] =>
    each(list === "containers" ? containers : initContainers, (container, i) => {
      const path = [...at, list, i];
      const isSidecar = container.restartPolicy === "Always";
      const help = { help: "names are unique among containers and initContainers" };
      return [
        ...containerViolations(container, path, { hostNetwork, isInit: list === "initContainers", isSidecar }, context),
        ...(hasName(container.name) ? [duplicate([...path, "name"], container.name, help)] : []),
        ...(list === "initContainers" && !isSidecar
          ? []
          : each(container.ports, (port, j) => {
              const key = hostPortKey(port, hostNetwork);
              const field = [...path, "ports", j, hostNetwork && !port.hostPort ? "containerPort" : "hostPort"];
              return key !== undefined && hasHostPort(key) ? [duplicate(field, key, { code: "KT205" })] : [];
            })),
      ];
    });
  return [...(containers.length === 0 ? [required([...at, "containers"])] : []), ...ofList("containers"), ...ofList("initContainers")];
}

const [MOST_NAMESERVERS, MOST_SEARCHES, MOST_SEARCH_CHARACTERS] = [3, 32, 2048];
const DNS = { code: "KT705" };

/** dnsPolicy and dnsConfig: the limits of the resolver in the C library (validatePodDNSConfig). */
function dnsViolations({ dnsPolicy, dnsConfig }: PodSpec, at: Path, { version }: ValidationContext): Violation[] {
  const path = [...at, "dnsConfig"];
  const { nameservers = [], searches = [], options } = dnsConfig ?? {};
  if (dnsPolicy === "None" && dnsConfig === undefined)
    return [
      required(path, "must provide `dnsConfig` when `dnsPolicy` is None", { ...DNS, help: "add dnsConfig: {nameservers: [10.96.0.10]}" }),
    ];
  if (dnsPolicy === "None" && nameservers.length === 0)
    return [required([...path, "nameservers"], "must provide at least one DNS nameserver when `dnsPolicy` is None", DNS)];
  // 6 and 256 before ExpandedDNSConfig (KEP-2595) was on, in 1.26.
  const [mostSearches, mostCharacters] = atLeast(version, 1, 26) ? [MOST_SEARCHES, MOST_SEARCH_CHARACTERS] : [6, 256];
  const list = [...path, "searches"];
  return [
    ...(nameservers.length > MOST_NAMESERVERS
      ? [invalid([...path, "nameservers"], nameservers, `must not have more than ${MOST_NAMESERVERS} nameservers`, DNS)]
      : []),
    ...each(nameservers, (text, i) => ipViolations([...path, "nameservers", i], text, version)),
    ...(searches.length > mostSearches ? [invalid(list, searches, `must not have more than ${mostSearches} search paths`, DNS)] : []),
    ...(searches.join(" ").length > mostCharacters
      ? [invalid(list, searches, `must not have more than ${mostCharacters} characters (including spaces) in the search list`, DNS)]
      : []),
    ...each(searches, (text, i) => (isSearch(text, version) ? [] : faulty([...list, i], text, subdomainFaults(text.replace(/\.$/, ""))))),
    ...each(options, ({ name }, i) => (name === "" ? [required([...path, "options", i], "must not be empty", DNS)] : [])),
  ];
}

/** From 1.34 a dot alone is a search path, and underscores may stand in one (RelaxedDNSSearchValidation, KEP-4427). */
const isSearch = (text: string, version: ValidationContext["version"]): boolean =>
  atLeast(version, 1, 34) &&
  (text === "." || (text.includes("_") && subdomainFaults(text.replace(/\.$/, "").replaceAll("_", "a")).length === 0));

const OPERATORS = ["Equal", "Exists"];

function tolerationsViolations({ tolerations }: PodSpec, at: Path): Violation[] {
  return each(tolerations, ({ key = "", operator = "", value = "" }, i) => {
    const path = [...at, "tolerations", i];
    return [
      ...(key === "" ? [] : faulty([...path, "key"], key, qualifiedNameFaults(key))),
      ...(key === "" && operator !== "Exists"
        ? [
            invalid(
              [...path, "operator"],
              operator,
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : []),
      ...(operator === "Exists" && value !== ""
        ? [invalid([...path, "operator"], value, "value must be empty when `operator` is 'Exists'", { help: "remove value" })]
        : []),
      ...(operator === "" || OPERATORS.includes(operator) || operator === "Lt" || operator === "Gt"
        ? []
        : [notSupported([...path, "operator"], operator, OPERATORS)]),
    ];
  });
}
