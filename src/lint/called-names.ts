/** Names of machines and sites that the input shows somebody calling: hosts files, records of the outside DNS, expectations. */
import { type Ip, parseIp } from "../net/address.ts";
import { expectations, type Url } from "./expectations.ts";
import type { Mark } from "./finding.ts";
import type { Subject } from "./subject.ts";

export type CalledName = {
  readonly name: string; // lower case
  readonly how: string; // "the hosts file of client leads to 192.168.56.101"
  readonly at: Mark;
  /** Where it leads, and who goes there; absent when only the name is known. */
  readonly ip?: Ip;
  readonly from?: string;
  readonly url?: Url;
};

/** In the order of the topology, then of the manifests. */
export function calledNames(subject: Subject): CalledName[] {
  return [...ofHostsFiles(subject), ...ofRecords(subject), ...ofExpectations(subject)];
}

function ofHostsFiles({ topology }: Subject): CalledName[] {
  const { source, hosts = [] } = topology;
  if (source === undefined) return [];
  return hosts.flatMap(({ name: machine, hostsFile = {} }, i) =>
    Object.entries(hostsFile).flatMap(([name, text]): CalledName[] => {
      const ip = parseIp(text);
      const how = `the hosts file of ${machine} leads to ${text}`;
      const at = { source, field: ["spec", "hosts", i, "hostsFile", name] };
      return ip === undefined ? [] : [{ name: name.toLowerCase(), how, at, ip, from: `host/${machine}` }];
    }),
  );
}

function ofRecords({ topology }: Subject): CalledName[] {
  const { source, dns } = topology;
  if (source === undefined) return [];
  return (dns?.records ?? []).flatMap(({ name, type = "A", value }, i): CalledName[] => {
    const ip = type === "A" || type === "AAAA" ? parseIp(value) : undefined;
    const how = `a record of the outside DNS leads to ${value}`;
    const at = { source, field: ["spec", "dns", "records", i, "value"] };
    return ip === undefined ? [] : [{ name: name.toLowerCase().replace(/\.$/, ""), how, at, ip, from: "external" }];
  });
}

const ofExpectations = (subject: Subject): CalledName[] =>
  expectations(subject).flatMap(({ text, url, hostHeader, resolve, from, at }): CalledName[] => {
    const name = (hostHeader ?? url.host).toLowerCase();
    if (parseIp(name) !== undefined) return [];
    const ip = resolve && resolve.host.toLowerCase() === url.host.toLowerCase() ? resolve.ip : parseIp(url.host);
    return [{ name, how: `\`${text}\` asks for`, at, url, from: from ?? "external", ...(ip === undefined ? {} : { ip }) }];
  });
