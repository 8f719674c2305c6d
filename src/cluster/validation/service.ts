/**
 * One Service by itself: pkg/apis/core/validation (ValidateService), with what pkg/registry/core/service/storage/alloc.go
 * checks of families in service-families.ts. Not checked: changes against an earlier form of the object.
 */
import type { Service, ServicePort, ServiceSpec } from "../../objects/api.ts";
import { duplicate, forbidden, invalid, notSupported, required, type Violation } from "../../objects/violation.ts";
import { atLeast } from "../version.ts";
import { cidrViolations, ipViolations, specialIpViolations } from "./addresses.ts";
import { createSeen, each, faulty, misnamed, type Path, type ValidationContext } from "./context.ts";
import { labelsViolations } from "./metadata.ts";
import { labelFaults, portFaults, portNameFaults, qualifiedNameFaults, subdomainFaults } from "./names.ts";
import { clusterIPsOf, familyViolations } from "./service-families.ts";

const SPEC = ["spec"];
const NOT_FOR_TYPE = { code: "KT120" };
const KUBELET_PORT = 10250;

/** All that is wrong with its spec. */
export function serviceViolations({ spec = {} }: Service, context: ValidationContext): Violation[] {
  return [
    ...portsViolations(spec),
    ...labelsViolations(spec.selector, ["spec", "selector"]),
    ...typeViolations(spec, context),
    ...addressViolations(spec, context),
    ...familyViolations(spec, context),
    ...otherViolations(spec, context),
  ];
}

function portsViolations(spec: ServiceSpec): Violation[] {
  const { ports = [], type = "ClusterIP" } = spec;
  const needsPorts = type !== "ExternalName" && !clusterIPsOf(spec).includes("None");
  if (ports.length === 0) return needsPorts ? [required(["spec", "ports"])] : [];
  const [hasName, hasPort, hasNodePort] = [createSeen(), createSeen(), createSeen()];
  return each(ports, (port, i) => {
    const at = [...SPEC, "ports", i];
    const { protocol = "TCP", nodePort = 0, appProtocol } = port;
    const found = [...portNameViolations(port, at, ports.length > 1, hasName), ...numberViolations(port, at)];
    if (appProtocol !== undefined) found.push(...faulty([...at, "appProtocol"], appProtocol, qualifiedNameFaults(appProtocol)));
    if (hasPort(`${protocol} ${port.port}`)) found.push(duplicate(at, { port: port.port, protocol }, { code: "KT109" }));
    if (nodePort !== 0 && hasNodePort(`${protocol} ${nodePort}`))
      found.push(duplicate([...at, "nodePort"], nodePort, { code: "KT302", help: "leave one out, and a free one is allocated" }));
    if (type === "LoadBalancer" && port.port === KUBELET_PORT)
      found.push(invalid([...at, "port"], KUBELET_PORT, "may not expose port 10250 externally since it is used by kubelet", NOT_FOR_TYPE));
    if (nodePort !== 0 && type === "ClusterIP")
      found.push(
        forbidden([...at, "nodePort"], "may not be used when `type` is 'ClusterIP'", {
          ...NOT_FOR_TYPE,
          help: "write type: NodePort, or remove it",
        }),
      );
    return found;
  });
}

function portNameViolations({ name = "" }: ServicePort, at: Path, isOneOfSeveral: boolean, seen: (name: string) => boolean): Violation[] {
  const path = [...at, "name"];
  if (name === "")
    return isOneOfSeveral ? [required(path, "", { code: "KT109", help: "give each port a name when there are several" })] : [];
  return [...misnamed(path, name, labelFaults(name)), ...(seen(name) ? [duplicate(path, name, { code: "KT109" })] : [])];
}

/** port as a number; targetPort as one or as a container port's name; 0 and "" are left to default. */
function numberViolations({ port, targetPort }: ServicePort, at: Path): Violation[] {
  const path = [...at, "targetPort"];
  return [...faulty([...at, "port"], port, portFaults(port)), ...(!targetPort ? [] : portNumberOrName(path, targetPort, "KT106"))];
}

/** ValidatePortNumOrName. A number in quotes is taken for a name, and has no letter in it. */
export function portNumberOrName(path: Path, port: number | string, code?: string): Violation[] {
  if (typeof port === "number") return faulty(path, port, portFaults(port));
  const isNumber = /^\d+$/.test(port);
  return faulty(path, port, portNameFaults(port), isNumber ? { ...(code ? { code } : {}), help: `remove the quotes: ${port}` } : {});
}

function typeViolations(spec: ServiceSpec, context: ValidationContext): Violation[] {
  const { type = "ClusterIP", externalTrafficPolicy: policy, healthCheckNodePort = 0 } = spec;
  const found = type === "LoadBalancer" ? balancerViolations(spec, context) : notForTypeViolations(spec);
  const isExternal = type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);
  if (policy !== undefined && !isExternal)
    found.push(
      invalid(["spec", "externalTrafficPolicy"], policy, "may only be set for externally-accessible services", {
        ...NOT_FOR_TYPE,
        help: "remove it, or write type: NodePort or LoadBalancer",
      }),
    );
  if (healthCheckNodePort !== 0 && !(type === "LoadBalancer" && policy === "Local"))
    found.push(
      invalid(
        ["spec", "healthCheckNodePort"],
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        NOT_FOR_TYPE,
      ),
    );
  return type === "ExternalName" ? [...found, ...externalNameViolations(spec)] : found;
}

function notForTypeViolations(spec: ServiceSpec): Violation[] {
  const fields = [
    ["loadBalancerSourceRanges", (spec.loadBalancerSourceRanges?.length ?? 0) > 0],
    ["loadBalancerClass", spec.loadBalancerClass !== undefined],
    ["allocateLoadBalancerNodePorts", spec.allocateLoadBalancerNodePorts !== undefined],
  ] as const;
  return fields.flatMap(([field, isSet]) =>
    isSet ? [forbidden(["spec", field], "may only be used when `type` is 'LoadBalancer'", NOT_FOR_TYPE)] : [],
  );
}

function balancerViolations({ loadBalancerClass, loadBalancerSourceRanges }: ServiceSpec, { version }: ValidationContext): Violation[] {
  return [
    ...(loadBalancerClass === undefined
      ? []
      : faulty(["spec", "loadBalancerClass"], loadBalancerClass, qualifiedNameFaults(loadBalancerClass))),
    ...each(loadBalancerSourceRanges, (text, i) => cidrViolations(["spec", "loadBalancerSourceRanges", i], text.trim(), version)),
  ];
}

/** A DNS name, with or without the dot at its end. That it may look like an address is the server's own leniency. */
function externalNameViolations({ externalName = "", clusterIP = "", clusterIPs, ipFamilies, ipFamilyPolicy }: ServiceSpec): Violation[] {
  const path = ["spec", "externalName"];
  const help = "write a host name alone: no scheme, no port, no path";
  const [forNone, none] = ["may not be set for ExternalName services", NOT_FOR_TYPE];
  return [
    ...(externalName === "" ? [required(path)] : faulty(path, externalName, subdomainFaults(externalName.replace(/\.$/, "")), { help })),
    ...(clusterIP !== "" || clusterIPs?.length ? [forbidden(["spec", "clusterIPs"], forNone, none)] : []),
    ...(ipFamilies?.length ? [forbidden(["spec", "ipFamilies"], forNone, none)] : []),
    ...(ipFamilyPolicy === undefined ? [] : [forbidden(["spec", "ipFamilyPolicy"], forNone, none)]),
  ];
}

function addressViolations(spec: ServiceSpec, { version }: ValidationContext): Violation[] {
  const found: Violation[] = [];
  const { type = "ClusterIP", clusterIP = "", clusterIPs = [] } = spec;
  const all = clusterIPsOf(spec);
  const path = clusterIPs.length > 0 ? ["spec", "clusterIPs"] : ["spec", "clusterIP"];
  const isHeadless = all.includes("None");
  if (clusterIP !== "" && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    found.push(invalid(["spec", "clusterIPs", 0], clusterIPs[0], "must match `clusterIP` when specified"));
  if (isHeadless && (type === "NodePort" || type === "LoadBalancer"))
    found.push(invalid(path, "None", `may not be set to 'None' for ${type} services`, NOT_FOR_TYPE));
  if (isHeadless && all.length > 1) found.push(invalid(path, all, "'None' must be the first and only value"));
  return [
    ...found,
    ...each(spec.externalIPs, (text, i) => {
      const at = ["spec", "externalIPs", i];
      return [...ipViolations(at, text, version), ...specialIpViolations(at, text)];
    }),
  ];
}

const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
// Alpha in 1.30: with the gate off the server drops the field unread.
const KNOWS_DISTRIBUTION = [1, 31] as const;
const LONGEST_AFFINITY = 86_400; // seconds, a day

function otherViolations(spec: ServiceSpec, { version }: ValidationContext): Violation[] {
  const { sessionAffinity = "None", sessionAffinityConfig, trafficDistribution: wanted } = spec;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const found: Violation[] = [];
  if (sessionAffinityConfig?.clientIP !== undefined && sessionAffinity !== "ClientIP")
    found.push(
      forbidden(["spec", "sessionAffinityConfig"], `must not be set when session affinity is ${sessionAffinity}`, {
        help: "write sessionAffinity: ClientIP, or remove it",
      }),
    );
  if (sessionAffinity === "ClientIP" && seconds !== undefined && (seconds <= 0 || seconds > LONGEST_AFFINITY))
    found.push(
      invalid(
        ["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"],
        seconds,
        `must be greater than 0 and less than ${LONGEST_AFFINITY}`,
      ),
    );
  const known = atLeast(version, 1, 34) ? DISTRIBUTIONS : DISTRIBUTIONS.slice(0, 1);
  if (wanted !== undefined && atLeast(version, ...KNOWS_DISTRIBUTION) && !known.includes(wanted))
    found.push(notSupported(["spec", "trafficDistribution"], wanted, known));
  return found;
}
