/**
 * Which Services the API server takes: each by itself (validation.ts), then against what is given to others already, cluster
 * addresses and node ports. One that it refuses does not exist, so it is reported and left out. An object of a live dump was
 * taken once; what is wrong with it is said, and it stays.
 */
import type { Ip } from "../../net/address.ts";
import { nthAddress } from "../../net/address.ts";
import type { IpFamilyName, Service } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { type Notes, nameOf } from "../notes.ts";
import type { Settings } from "../settings.ts";
import { isAllocatable, nodePortKey } from "./service-allocators.ts";
import type { DraftService } from "./service-defaults.ts";
import { refusalsOf } from "./validation.ts";

type Problem = { readonly code: string; readonly message: string; readonly help?: string; readonly field: readonly PathPart[] };

/** The Services that are taken, in their order; the others are reported. */
export function admitServices(
  drafts: readonly DraftService[],
  families: readonly IpFamilyName[],
  settings: Settings,
  notes: Notes,
): DraftService[] {
  const [first] = settings.serviceCIDRs;
  const owners: Owners = { ips: new Map(first ? [[nthAddress(first, 1n), "Service default/kubernetes"]] : []), ports: new Map() };
  return drafts.filter((draft) => {
    const problems = [
      ...ownProblems(draft, families, settings),
      ...addressProblems(draft, owners, settings),
      ...portProblems(draft, owners, settings),
    ];
    const isDumped = draft.object.metadata.uid !== undefined;
    for (const problem of problems) report(draft.object, problem, isDumped, notes);
    if (problems.length > 0 && !isDumped) return false;
    claim(draft, owners);
    return true;
  });
}

type Owners = { readonly ips: Map<Ip, string>; readonly ports: Map<string, string> };

function report(object: Service, { code, message, help, field }: Problem, isDumped: boolean, notes: Notes): void {
  const consequence = isDumped ? undefined : "the API server refuses the Service, so it is left out";
  const said = [consequence, help].filter((part) => part !== undefined).join("; ");
  notes.report({ code, message: `${nameOf(object)}: ${message}`, ...(said === "" ? {} : { help: said }), source: object.source, field });
}

const fieldText = (field: readonly PathPart[]): string =>
  field.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");

const ownProblems = ({ object }: DraftService, families: readonly IpFamilyName[], { version }: Settings): Problem[] =>
  refusalsOf(object, families, version).map(({ code, field, reason }) => ({ code, field, message: `${fieldText(field)}: ${reason}` }));

function addressProblems({ asked, object }: DraftService, { ips }: Owners, { serviceCIDRs }: Settings): Problem[] {
  const field = ["spec", "clusterIP"];
  return asked.flatMap((ip): Problem[] => {
    if (ip === "None") return [];
    const owner = ips.get(ip);
    const ranges = serviceCIDRs.map((cidr) => `${cidr.ip}/${cidr.length}`).join(", ");
    const outside = serviceCIDRs.some((cidr) => isAllocatable(cidr, ip))
      ? []
      : [
          {
            code: "KT111",
            message: `clusterIP ${ip} lies outside the service CIDR ${ranges}`,
            help: "leave clusterIP out, or set spec.kubernetes.serviceCIDRs in the topology",
            field,
          },
        ];
    if (owner === undefined || owner === nameOf(object)) return outside;
    return [...outside, { code: "KT110", message: `clusterIP ${ip} is already that of ${owner}`, help: "leave clusterIP out", field }];
  });
}

type AskedPort = { readonly protocol: string; readonly port: number; readonly field: readonly PathPart[] };

/** Node ports asked for; a health check port counts as one of TCP. */
function askedPorts(draft: DraftService): AskedPort[] {
  const health =
    draft.type === "LoadBalancer" && draft.externalTrafficPolicy === "Local" ? draft.object.spec?.healthCheckNodePort : undefined;
  const checked = health ? [{ protocol: "TCP", port: health, field: ["spec", "healthCheckNodePort"] }] : [];
  const listed = draft.ports.flatMap(({ index, protocol, nodePort }) =>
    nodePort === undefined ? [] : [{ protocol, port: nodePort, field: ["spec", "ports", index, "nodePort"] }],
  );
  return [...checked, ...listed];
}

function portProblems(draft: DraftService, { ports }: Owners, { nodePortRange: range }: Settings): Problem[] {
  const own = new Set<string>();
  return askedPorts(draft).flatMap(({ protocol, port, field }): Problem[] => {
    const key = nodePortKey(protocol, port);
    const owner = ports.get(key) ?? (own.has(key) ? nameOf(draft.object) : undefined);
    own.add(key);
    const outside =
      port >= range.from && port <= range.to
        ? []
        : [
            {
              code: "KT301",
              message: `nodePort ${port} lies outside ${range.from}-${range.to}`,
              help: "spec.kubernetes.nodePortRange in the topology widens the range",
              field,
            },
          ];
    if (owner === undefined) return outside;
    return [
      ...outside,
      { code: "KT302", message: `nodePort ${port}/${protocol} is already that of ${owner}`, help: "leave nodePort out", field },
    ];
  });
}

function claim(draft: DraftService, { ips, ports }: Owners): void {
  const name = nameOf(draft.object);
  for (const ip of draft.asked) if (ip !== "None" && !ips.has(ip)) ips.set(ip, name);
  for (const { protocol, port } of askedPorts(draft))
    if (!ports.has(nodePortKey(protocol, port))) ports.set(nodePortKey(protocol, port), name);
}
