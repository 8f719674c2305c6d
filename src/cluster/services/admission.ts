/**
 * Which Services the API server takes: each by itself (validation/service.ts), then against what is given to others already, cluster
 * addresses and node ports. One that it refuses does not exist, so it is reported and left out. An object of a live dump was
 * taken once; what is wrong with it is said, and it stays.
 */
import type { Ip } from "../../net/address.ts";
import { formatCidr, nthAddress } from "../../net/address.ts";
import type { IpFamilyName } from "../../objects/api.ts";
import type { PathPart } from "../../objects/source.ts";
import { invalid, type Violation } from "../../objects/violation.ts";
import { type Notes, nameOf } from "../notes.ts";
import type { Settings } from "../settings.ts";
import { reportViolation } from "../validation/admit.ts";
import { validateObject } from "../validation/validate.ts";
import { isAllocatable, nodePortKey } from "./service-allocators.ts";
import type { DraftService } from "./service-defaults.ts";

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
    const violations = [
      ...validateObject(draft.object, { version: settings.version, families }),
      ...addressViolations(draft, owners, settings),
      ...nodePortViolations(draft, owners, settings),
    ];
    const isDumped = draft.object.metadata.uid !== undefined;
    for (const violation of violations) reportViolation(draft.object, violation, !isDumped, notes);
    if (violations.length > 0 && !isDumped) return false;
    claim(draft, owners);
    return true;
  });
}

type Owners = { readonly ips: Map<Ip, string>; readonly ports: Map<string, string> };

/** ipallocator.go: an address is asked for, lies in a range, and is free. */
function addressViolations({ asked, object }: DraftService, { ips }: Owners, { serviceCIDRs }: Settings): Violation[] {
  const written = object.spec?.clusterIPs?.length ? {} : { written: ["spec", "clusterIP"] };
  const ranges = serviceCIDRs.map(formatCidr).join(", ");
  return asked.flatMap((ip): Violation[] => {
    if (ip === "None") return [];
    const owner = ips.get(ip);
    const refuse = (why: string, code: string, help: string): Violation =>
      invalid(["spec", "clusterIPs"], asked, `failed to allocate IP ${ip}: ${why}`, { code, help, ...written });
    const outside = serviceCIDRs.some((cidr) => isAllocatable(cidr, ip))
      ? []
      : [
          refuse(
            `the provided IP is not in the valid range. The range of valid IPs is ${ranges}`,
            "KT111",
            "leave it out, or set spec.kubernetes.serviceCIDRs in the topology",
          ),
        ];
    if (owner === undefined || owner === nameOf(object)) return outside;
    return [...outside, refuse("provided IP is already allocated", "KT110", `${owner} has it: leave it out, and a free one is allocated`)];
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

/** portallocator.go: a port is asked for, lies in the range, and is free. */
function nodePortViolations(draft: DraftService, { ports }: Owners, { nodePortRange: range }: Settings): Violation[] {
  const asked = askedPorts(draft);
  // Two equal ports of one list were refused before; a port may still be that of the health check.
  const health = asked.find(({ field }) => field.at(-1) === "healthCheckNodePort");
  return asked.flatMap(({ protocol, port, field }): Violation[] => {
    const isOwn = health !== undefined && health.field !== field && nodePortKey(protocol, port) === nodePortKey("TCP", health.port);
    const owner = ports.get(nodePortKey(protocol, port)) ?? (isOwn ? nameOf(draft.object) : undefined);
    const isOutside = port < range.from || port > range.to;
    const why = `provided port is not in the valid range. The range of valid ports is ${range.from}-${range.to}`;
    const widen = "leave it out, or set spec.kubernetes.nodePortRange in the topology";
    const help = `${owner} has ${port}/${protocol}: leave it out, and a free one is allocated`;
    return [
      ...(isOutside ? [invalid(field, port, why, { code: "KT301", help: widen })] : []),
      ...(owner === undefined ? [] : [invalid(field, port, "provided port is already allocated", { code: "KT302", help })]),
    ];
  });
}

function claim(draft: DraftService, { ips, ports }: Owners): void {
  const name = nameOf(draft.object);
  for (const ip of draft.asked) if (ip !== "None" && !ips.has(ip)) ips.set(ip, name);
  for (const { protocol, port } of askedPorts(draft))
    if (!ports.has(nodePortKey(protocol, port))) ports.set(nodePortKey(protocol, port), name);
}
