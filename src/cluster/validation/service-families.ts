/**
 * A Service's IP families against those of the cluster (pkg/registry/core/service/storage/alloc.go, initIPFamilyFields), and
 * its cluster addresses against both.
 */
import type { IpFamilyName, ServiceSpec } from "../../objects/api.ts";
import { duplicate, invalid, type More, tooMany, type Violation } from "../../objects/violation.ts";
import { ipViolations } from "./addresses.ts";
import { each, type Path, type ValidationContext } from "./context.ts";

const KT116 = { code: "KT116" };

/** clusterIPs, or clusterIP where only that is written. */
export const clusterIPsOf = ({ clusterIP = "", clusterIPs = [] }: ServiceSpec): readonly string[] =>
  clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP];

/** The server speaks of clusterIPs, which it fills in from clusterIP. */
const pathOf = (i: number): Path => ["spec", "clusterIPs", i];
const writtenAt = ({ clusterIPs }: ServiceSpec): More => (clusterIPs?.length ? {} : { written: ["spec", "clusterIP"] });
const familyText = (text: string): IpFamilyName => (text.includes(":") ? "IPv6" : "IPv4");
const isNone = (text: string): boolean => text === "None";

/** All that is wrong with ipFamilies, ipFamilyPolicy and the families of clusterIPs. None of it is asked of an ExternalName. */
export function familyViolations(spec: ServiceSpec, context: ValidationContext): Violation[] {
  if (spec.type === "ExternalName") return [];
  const all = clusterIPsOf(spec);
  const addresses = all.filter((text) => !isNone(text));
  const broken = each(all, (text, i) => (isNone(text) ? [] : ipViolations(pathOf(i), text, context.version, writtenAt(spec))));
  if (broken.length > 0) return broken;
  return [...countViolations(spec, all), ...listViolations(spec, all, context), ...policyViolations(spec, addresses, context)];
}

function countViolations(spec: ServiceSpec, all: readonly string[]): Violation[] {
  const path = spec.clusterIPs?.length ? ["spec", "clusterIPs"] : ["spec", "clusterIP"];
  if (all.length > 2) return [tooMany(path, all.length, 2, KT116)];
  const isRepeated = all.length === 2 && !all.some(isNone) && new Set(all.map(familyText)).size < 2;
  return isRepeated ? [invalid(path, all, "may specify no more than one IP for each IP family", KT116)] : [];
}

const isServed = (family: IpFamilyName, cluster: readonly IpFamilyName[]): boolean => cluster.length === 0 || cluster.includes(family);

/** A headless Service without selector may name families that the cluster does not have. */
const isManual = (spec: ServiceSpec): boolean => clusterIPsOf(spec).some(isNone) && Object.keys(spec.selector ?? {}).length === 0;

function listViolations(spec: ServiceSpec, all: readonly string[], { families: cluster }: ValidationContext): Violation[] {
  const { ipFamilies = [] } = spec;
  const repeated = ipFamilies.findIndex((family, i) => ipFamilies.indexOf(family) !== i);
  const help = `the cluster has ${cluster.join(" and ")}: spec.kubernetes.serviceCIDRs in the topology`;
  return [
    ...(repeated < 0 ? [] : [duplicate(["spec", "ipFamilies", repeated], ipFamilies[repeated], KT116)]),
    ...each(ipFamilies, (family, i) =>
      isServed(family, cluster) || isManual(spec)
        ? []
        : [invalid(["spec", "ipFamilies", i], family, "not configured on this cluster", { ...KT116, help })],
    ),
    ...each(all, (text, i) => {
      if (isNone(text)) return [];
      const wanted = ipFamilies[i];
      if (wanted !== undefined && familyText(text) !== wanted)
        return [
          invalid(pathOf(i), text, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``, { ...KT116, ...writtenAt(spec) }),
        ];
      return wanted !== undefined || isServed(familyText(text), cluster)
        ? []
        : [invalid(pathOf(i), text, `${familyText(text)} is not configured on this cluster`, { ...KT116, help, ...writtenAt(spec) })];
    }),
  ];
}

function policyViolations(spec: ServiceSpec, addresses: readonly string[], { families: cluster }: ValidationContext): Violation[] {
  const { ipFamilies = [], ipFamilyPolicy: policy } = spec;
  const path = ["spec", "ipFamilyPolicy"];
  if (policy === "RequireDualStack" && cluster.length === 1 && !isManual(spec))
    return [
      invalid(path, policy, "this cluster is not configured for dual-stack services", {
        ...KT116,
        help: "write PreferDualStack, or leave it out",
      }),
    ];
  if (policy === "SingleStack" && Math.max(ipFamilies.length, addresses.length) > 1)
    return [
      invalid(
        path,
        policy,
        "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families or cluster IPs are specified",
        KT116,
      ),
    ];
  return [];
}
