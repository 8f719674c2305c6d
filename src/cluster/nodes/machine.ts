/** One machine of the topology, node or outside host: its text turned into addresses, with what it leaves out filled in. */
import { type Cidr, type Family, familyOf, parseCidr, parseIp } from "../../net/address.ts";
import type { PathPart } from "../../objects/source.ts";
import type { Topology, TopologyHost, TopologyInterface } from "../../objects/topology.ts";
import type { Machine, MachineInterface, Origin } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { drawMac } from "../synthetic.ts";
import type { AddressBook } from "./address-book.ts";

/** Path of the machine in the topology; empty when the topology has none such. */
export type MachineField = readonly PathPart[];
export type MachineContext = {
  readonly kind: "node" | "host";
  readonly field: MachineField;
  readonly topology: Topology;
  readonly notes: Notes;
  readonly book: AddressBook;
  /** Addresses of an eth0, asked for when no interface is listed. */
  readonly assumed: () => readonly Cidr[];
};

const ETHERNET_MTU = 1500;

export function readMachine<Kind extends "node" | "host">(
  written: TopologyHost,
  context: MachineContext & { readonly kind: Kind },
): Machine & { readonly kind: Kind } {
  const { kind, topology } = context;
  const interfaces = readInterfaces(written, context);
  const ownRules = topology.ruleFiles && Object.hasOwn(topology.ruleFiles, written.name) ? topology.ruleFiles[written.name] : undefined;
  const origin = originOf(context, []);
  return {
    kind,
    name: written.name,
    aliases: written.aliases ?? [],
    interfaces,
    routes: readRoutes(written, interfaces, context),
    ...(written.resolvConf ? { resolvConf: written.resolvConf } : {}),
    hostsFile: readHostsFile(written, context),
    listens: written.listens ?? [],
    sysctls: Object.fromEntries(Object.entries(written.sysctls ?? {}).map(([key, value]) => [key, String(value)])),
    ...(ownRules ? { ownRules } : {}),
    ...(origin ? { origin } : {}),
  };
}

function originOf(context: MachineContext, inside: readonly PathPart[]): Origin | undefined {
  const { topology, field } = context;
  return topology.source && field.length > 0 ? { source: topology.source, field: [...field, ...inside] } : undefined;
}

function readInterfaces(written: TopologyHost, context: MachineContext): MachineInterface[] {
  const mac = (name: string) => drawMac(`${context.kind}/${written.name}/${name}`);
  if (!written.interfaces?.length) return [{ name: "eth0", mac: mac("eth0"), mtu: ETHERNET_MTU, up: true, addresses: context.assumed() }];
  return written.interfaces.map((each, i) => {
    const origin = originOf(context, ["interfaces", i]);
    return {
      name: each.name,
      mac: each.mac?.toLowerCase() ?? mac(each.name),
      mtu: each.mtu ?? ETHERNET_MTU,
      up: each.state !== "down",
      addresses: readAddresses(written.name, each, i, context),
      ...(origin ? { origin } : {}),
    };
  });
}

function readAddresses(machine: string, each: TopologyInterface, i: number, context: MachineContext): Cidr[] {
  return (each.addresses ?? []).flatMap((text, j) => {
    const cidr = parseCidr(text);
    if (!cidr)
      reportValue(
        context,
        ["interfaces", i, "addresses", j],
        `${context.kind} ${machine}: ${each.name}: "${text}" is no address in CIDR form`,
        'for example "10.0.2.5/24"',
      );
    return cidr ?? [];
  });
}

/** A node without `routes` gets a default route out of its first interface with an address; a host gets none. */
function readRoutes(written: TopologyHost, interfaces: readonly MachineInterface[], context: MachineContext): Machine["routes"] {
  if (written.routes)
    return written.routes.map((route, i) => {
      const origin = originOf(context, ["routes", i]);
      return { ...route, ...(origin ? { origin } : {}) };
    });
  const first = interfaces.find((each) => each.up && each.addresses.length > 0);
  if (context.kind === "host" || !first) return [];
  const families = [...new Set(first.addresses.map((cidr) => familyOf(cidr.ip)))];
  return families.flatMap((family) => assumedDefault(written.name, first, family, context));
}

function assumedDefault(name: string, out: MachineInterface, family: Family, { book, notes }: MachineContext): Machine["routes"] {
  const network = out.addresses.find((cidr) => familyOf(cidr.ip) === family);
  const via = network && book.gateway(network);
  if (via === undefined) return [];
  notes.assume(`node ${name}`, `default route via ${via} dev ${out.name}`, "spec.nodes[].routes");
  return [{ to: "default", via, dev: out.name, assumed: true }];
}

function readHostsFile(written: TopologyHost, context: MachineContext): Machine["hostsFile"] {
  return Object.entries(written.hostsFile ?? {}).flatMap(([name, text]) => {
    const ip = parseIp(text);
    const origin = originOf(context, ["hostsFile", name]);
    if (ip === undefined)
      reportValue(context, ["hostsFile", name], `${context.kind} ${written.name}: hostsFile: "${text}" is no IP address`);
    return ip === undefined ? [] : [{ name, ip, ...(origin ? { origin } : {}) }];
  });
}

function reportValue({ topology, field, notes }: MachineContext, inside: readonly PathPart[], message: string, help?: string): void {
  notes.report({
    code: "topology-invalid-value",
    message: `Topology: ${message}`,
    source: topology.source,
    field: [...field, ...inside],
    ...(help ? { help } : {}),
  });
}
