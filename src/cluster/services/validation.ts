/**
 * What the API server refuses about one Service by itself, in its words: pkg/apis/core/validation (ValidateService) and
 * pkg/registry/core/service/storage/alloc.go (initIPFamilyFields). Types and enumerations were checked when it was read.
 * Not checked: annotations, appProtocol, changes against an earlier form of the object.
 */
import { familyOf, type Ip, isLinkLocal, isLoopback, parseIp } from "../../net/address.ts";
import type { IpFamilyName, Service, ServicePort, ServiceSpec } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Version } from "../cluster.ts";
import { atLeast } from "../version.ts";

/** One reason to refuse: a field, and the server's sentence about it. */
export type Refusal = { readonly code: string; readonly field: readonly PathPart[]; readonly reason: string };

/** `families`: those that the cluster's service CIDRs have. */
export function refusalsOf(service: Service, families: readonly IpFamilyName[], version: Version): Refusal[] {
  const spec = service.spec ?? {};
  return [
    ...nameRefusals(service, version),
    ...portRefusals(spec),
    ...typeRefusals(spec),
    ...addressRefusals(spec),
    ...familyRefusals(spec, families),
    ...otherRefusals(spec, version),
  ];
}

const KT008 = "KT008";
const invalid = (field: readonly PathPart[], value: unknown, why: string, code = KT008): Refusal => ({
  code,
  field,
  reason: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});
const forbidden = (field: readonly PathPart[], why: string): Refusal => ({ code: "KT120", field, reason: `Forbidden: ${why}` });
const required = (field: readonly PathPart[], code = KT008): Refusal => ({ code, field, reason: "Required value" });

/** RFC 1035 label; releases from 1.36 also take a leading digit (RelaxedServiceNameValidation). */
function nameRefusals({ metadata: { name } }: Service, version: Version): Refusal[] {
  const form = atLeast(version, 1, 36) ? /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ : /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
  if (form.test(name) && name.length <= 63) return [];
  const label = atLeast(version, 1, 36) ? "a lowercase RFC 1123 label" : "a DNS-1035 label";
  return [invalid(["metadata", "name"], name, `${label} must consist of lower case alphanumeric characters or '-', at most 63`)];
}

function portRefusals(spec: ServiceSpec): Refusal[] {
  const ports = spec.ports ?? [];
  const needsPorts = spec.type !== "ExternalName" && spec.clusterIP !== "None" && spec.clusterIPs?.[0] !== "None";
  if (ports.length === 0) return needsPorts ? [required(["spec", "ports"])] : [];
  const [names, pairs, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()];
  return ports.flatMap((port, i) => {
    const at = ["spec", "ports", i];
    const { name = "", protocol = "TCP", nodePort } = port;
    const found: Refusal[] = [...portNameRefusals(name, at, ports.length > 1, names), ...targetRefusals(port, at)];
    if (taken(pairs, `${protocol} ${port.port}`))
      found.push({ code: "KT109", field: at, reason: `Duplicate value: {"port":${port.port},"protocol":"${protocol}"}` });
    if (nodePort && taken(nodePorts, `${protocol} ${nodePort}`))
      found.push({ code: "KT302", field: [...at, "nodePort"], reason: `Duplicate value: ${nodePort}` });
    if (spec.type === "LoadBalancer" && port.port === 10250)
      found.push(invalid([...at, "port"], 10250, "may not expose port 10250 externally since it is used by kubelet", "KT120"));
    if (nodePort && (spec.type ?? "ClusterIP") === "ClusterIP")
      found.push(forbidden([...at, "nodePort"], "may not be used when `type` is 'ClusterIP'"));
    return found;
  });
}

/** Adds; true when it was there already. */
function taken(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

function portNameRefusals(name: string, at: readonly PathPart[], several: boolean, names: Set<string>): Refusal[] {
  const field = [...at, "name"];
  if (name === "") return several ? [required(field, "KT109")] : [];
  if (taken(names, name)) return [{ code: "KT109", field, reason: `Duplicate value: ${JSON.stringify(name)}` }];
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 63) return [];
  return [invalid(field, name, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'")];
}

/** A number in range, or an IANA service name: at most 15 characters with a letter among them. */
function targetRefusals({ targetPort }: ServicePort, at: readonly PathPart[]): Refusal[] {
  const field = [...at, "targetPort"];
  if (typeof targetPort === "number")
    return targetPort === 0 || (targetPort >= 1 && targetPort <= 65535)
      ? []
      : [invalid(field, targetPort, "must be between 1 and 65535, inclusive")];
  if (targetPort === undefined || targetPort === "") return [];
  if (targetPort.length > 15) return [invalid(field, targetPort, "must be no more than 15 characters")];
  if (!/^[a-z0-9-]+$/.test(targetPort))
    return [invalid(field, targetPort, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")];
  if (!/[a-z]/.test(targetPort)) return [invalid(field, targetPort, "must contain at least one letter (a-z)")];
  return /^-|--|-$/.test(targetPort) ? [invalid(field, targetPort, "must not begin or end with a hyphen, nor hold two in a row")] : [];
}

function typeRefusals(spec: ServiceSpec): Refusal[] {
  const type = spec.type ?? "ClusterIP";
  const found: Refusal[] = [];
  const onlyBalancer = "may only be used when `type` is 'LoadBalancer'";
  if (type !== "LoadBalancer") {
    if (spec.loadBalancerSourceRanges?.length) found.push(forbidden(["spec", "loadBalancerSourceRanges"], onlyBalancer));
    if (spec.loadBalancerClass !== undefined) found.push(forbidden(["spec", "loadBalancerClass"], onlyBalancer));
    if (spec.allocateLoadBalancerNodePorts !== undefined) found.push(forbidden(["spec", "allocateLoadBalancerNodePorts"], onlyBalancer));
  }
  const isExternal = type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);
  const policy = spec.externalTrafficPolicy;
  if (policy !== undefined && !isExternal)
    found.push(invalid(["spec", "externalTrafficPolicy"], policy, "may only be set for externally-accessible services", "KT120"));
  if (spec.healthCheckNodePort && !(type === "LoadBalancer" && policy === "Local"))
    found.push(
      invalid(
        ["spec", "healthCheckNodePort"],
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        "KT120",
      ),
    );
  if (type === "ExternalName") found.push(...externalNameRefusals(spec));
  return found;
}

function externalNameRefusals(spec: ServiceSpec): Refusal[] {
  const found: Refusal[] = [];
  const { externalName = "" } = spec;
  if (externalName === "") found.push(required(["spec", "externalName"]));
  else if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$/.test(externalName))
    found.push(
      invalid(
        ["spec", "externalName"],
        externalName,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
      ),
    );
  if ((spec.clusterIP ?? "") !== "" || spec.clusterIPs?.length)
    found.push(forbidden(["spec", "clusterIPs"], "may not be set for ExternalName services"));
  if (spec.ipFamilies?.length) found.push(forbidden(["spec", "ipFamilies"], "may not be set for ExternalName services"));
  if (spec.ipFamilyPolicy !== undefined) found.push(forbidden(["spec", "ipFamilyPolicy"], "may not be set for ExternalName services"));
  return found;
}

const isNone = (text: string): boolean => text === "None";
const clusterIPsOf = ({ clusterIP = "", clusterIPs = [] }: ServiceSpec): readonly string[] =>
  clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP];

function addressRefusals(spec: ServiceSpec): Refusal[] {
  const found: Refusal[] = [];
  const { type = "ClusterIP", clusterIP = "", clusterIPs = [] } = spec;
  const all = clusterIPsOf(spec);
  const field = clusterIPs.length > 0 ? ["spec", "clusterIPs"] : ["spec", "clusterIP"];
  const none = all.some(isNone);
  if (clusterIP !== "" && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    found.push(invalid(["spec", "clusterIPs", 0], clusterIPs[0], `must match \`clusterIP\`, which is ${clusterIP}`));
  if (none && (type === "NodePort" || type === "LoadBalancer"))
    found.push(invalid(field, "None", `may not be set to 'None' for ${type} services`, "KT120"));
  if (none && all.length > 1) found.push(invalid(field, all, "'None' must be the first and only value"));
  if (all.length > 2) found.push({ code: "KT116", field, reason: "Too many: may only hold up to 2 values" });
  if (all.length === 2 && !none && new Set(all.map(familyText)).size < 2)
    found.push(invalid(field, all, "may specify no more than one IP for each IP family", "KT116"));
  (spec.externalIPs ?? []).forEach((text, i) => {
    const why = unusable(text);
    if (why !== undefined) found.push(invalid(["spec", "externalIPs", i], text, why));
  });
  return found;
}

const familyText = (text: string): IpFamilyName => (text.includes(":") ? "IPv6" : "IPv4");

/** Addresses that no Service may claim from outside. */
function unusable(text: string): string | undefined {
  const ip: Ip | undefined = parseIp(text);
  if (ip === undefined) return "must be a valid IP address";
  if (ip === "0.0.0.0" || ip === "::") return "may not be unspecified (0.0.0.0, ::)";
  if (isLoopback(ip)) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
  if (isLinkLocal(ip)) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
  const linkLocalGroup = familyOf(ip) === 4 ? ip.startsWith("224.0.0.") : /^ff[0-9a-f]2:/.test(ip);
  return linkLocalGroup ? "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)" : undefined;
}

function familyRefusals(spec: ServiceSpec, cluster: readonly IpFamilyName[]): Refusal[] {
  const found: Refusal[] = [];
  const { type, ipFamilies = [], ipFamilyPolicy: policy } = spec;
  if (type === "ExternalName") return found;
  const addresses = clusterIPsOf(spec).filter((text) => !isNone(text));
  const mismatch = (field: readonly PathPart[], value: unknown, why: string): void => void found.push(invalid(field, value, why, "KT116"));
  const isManual = clusterIPsOf(spec).some(isNone) && Object.keys(spec.selector ?? {}).length === 0;
  if (new Set(ipFamilies).size < ipFamilies.length)
    found.push({ code: "KT116", field: ["spec", "ipFamilies"], reason: `Duplicate value: "${ipFamilies[0]}"` });
  ipFamilies.forEach((family, i) => {
    if (!cluster.includes(family) && !isManual) mismatch(["spec", "ipFamilies", i], family, "not configured on this cluster");
  });
  addresses.forEach((text, i) => {
    const wanted = ipFamilies[i];
    if (wanted !== undefined && familyText(text) !== wanted)
      mismatch(["spec", "clusterIPs", i], text, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``);
    else if (wanted === undefined && !cluster.includes(familyText(text)))
      mismatch(
        ["spec", spec.clusterIPs?.length ? "clusterIPs" : "clusterIP", ...(spec.clusterIPs?.length ? [i] : [])],
        text,
        `${familyText(text)} is not configured on this cluster`,
      );
  });
  if (policy === "RequireDualStack" && cluster.length < 2 && !isManual)
    mismatch(["spec", "ipFamilyPolicy"], policy, "this cluster is not configured for dual-stack services");
  if (policy === "SingleStack" && Math.max(ipFamilies.length, addresses.length) > 1)
    mismatch(
      ["spec", "ipFamilyPolicy"],
      policy,
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families or cluster IPs are specified",
    );
  return found;
}

const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];

function otherRefusals(spec: ServiceSpec, version: Version): Refusal[] {
  const found: Refusal[] = [];
  if (spec.sessionAffinityConfig?.clientIP !== undefined && spec.sessionAffinity !== "ClientIP")
    found.push({
      code: KT008,
      field: ["spec", "sessionAffinityConfig"],
      reason: `Forbidden: must not be set when session affinity is ${spec.sessionAffinity ?? "None"}`,
    });
  const wanted = spec.trafficDistribution;
  const known = atLeast(version, 1, 34) ? DISTRIBUTIONS : DISTRIBUTIONS.slice(0, 1);
  if (wanted !== undefined && atLeast(version, 1, 30) && !known.includes(wanted))
    found.push({
      code: KT008,
      field: ["spec", "trafficDistribution"],
      reason: `Unsupported value: ${JSON.stringify(wanted)}: supported values: ${known.map((one) => `"${one}"`).join(", ")}`,
    });
  return found;
}
