/**
 * `ip addr` and `ip link`, as iproute2 6.1 prints them (ip/ipaddress.c). The interface index is the place in creation order.
 * Not modelled, so never shown: link-local IPv6 addresses, lifetimes other than forever, altnames.
 */
import type { Link, LinkAddress, LinkEnd, Netns } from "../linux/netns.ts";
import { broadcastOf, cidrContains, type Family, familyOf, formatCidr, networkOf, parseCidr } from "../net/address.ts";
import { printableWord } from "./printable.ts";
import { isMac, numberOf, valueAfter, wordsOf } from "./words.ts";

export type IpAddrOptions = {
  readonly dev?: string; // only this link
  readonly family?: Family; // -4, -6: only links with such an address
  /** Interface index of a veth's far end, printed as `eth0@if7`. */
  readonly indexOf?: (end: LinkEnd) => number | undefined;
};

/** Interface index of a link: lo is 1. */
export const linkIndex = (netns: Netns, name: string): number | undefined => {
  const at = netns.links.findIndex((link) => link.name === name);
  return at < 0 ? undefined : at + 1;
};

/** `ip addr show` */
export function printIpAddr(netns: Netns, options: IpAddrOptions = {}): string {
  return shownLinks(netns, options)
    .map((link) => printLink(netns, link, options) + printAddresses(link, options.family))
    .join("");
}

/** `ip link show` */
export const printIpLink = (netns: Netns, options: Omit<IpAddrOptions, "family"> = {}): string =>
  shownLinks(netns, options)
    .map((link) => printLink(netns, link, options, " mode DEFAULT"))
    .join("");

/** `ip -br addr` */
export const printIpAddrBrief = (netns: Netns, options: IpAddrOptions = {}): string =>
  shownLinks(netns, options)
    .map(
      (link) =>
        `${nameOf(link, options).padEnd(16)} ${stateOf(link).padEnd(14)} ${shownAddresses(link, options.family)
          .map(({ cidr }) => `${formatCidr(cidr)} `)
          .join("")}\n`,
    )
    .join("");

const shownLinks = (netns: Netns, options: IpAddrOptions): readonly Link[] =>
  netns.links.filter(
    (link) =>
      (options.dev === undefined || link.name === options.dev) &&
      (options.family === undefined || shownAddresses(link, options.family).length > 0),
  );

function printLink(netns: Netns, link: Link, options: IpAddrOptions, mode = ""): string {
  const index = linkIndex(netns, link.name) ?? 0;
  const qdisc = link.type.kind === "device" ? (link.up ? "fq_codel" : "noop") : link.up ? "noqueue" : "noop";
  const master = link.master === undefined ? "" : ` master ${printableWord(link.master)}`;
  const head = `${index}: ${nameOf(link, options)}: <${flagsOf(link).join(",")}> mtu ${link.mtu} qdisc ${qdisc}${master} state ${stateOf(link)}${mode} group default `;
  const queue = hasQueueLength(link) ? "qlen 1000" : "";
  if (options.family !== undefined) return `${head}${queue}\n`;
  return `${head}${queue}\n    link/${link.type.kind === "loopback" ? "loopback" : "ether"} ${printableWord(link.mac)} brd ${broadcastMac(link)}${peerNetns(netns, link)}\n`;
}

const broadcastMac = (link: Link): string => (link.type.kind === "loopback" ? "00:00:00:00:00:00" : "ff:ff:ff:ff:ff:ff");

/** Devices that a daemon makes over netlink without naming a queue length have none: docker0, flannel.1, veths of CNI plugins. */
const hasQueueLength = (link: Link): boolean =>
  link.type.kind === "loopback" || link.type.kind === "device" || (link.type.kind === "bridge" && !/^docker\d+$/.test(link.name));

function nameOf(link: Link, options: IpAddrOptions): string {
  const peer = link.type.kind === "veth" ? options.indexOf?.(link.type.peer) : undefined;
  return `${printableWord(link.name)}${peer === undefined ? "" : `@if${peer}`}`;
}

/** Ids of other namespaces are handed out in the order in which their links turned up (rtnl_net_get_link_net). */
function peerNetns(netns: Netns, link: Link): string {
  const peers = netns.links.flatMap((each) => (each.type.kind === "veth" ? [each.type.peer.netns] : []));
  return link.type.kind === "veth" ? ` link-netnsid ${[...new Set(peers)].indexOf(link.type.peer.netns)}` : "";
}

function flagsOf(link: Link): string[] {
  const kind = link.type.kind === "loopback" ? ["LOOPBACK"] : ["BROADCAST", link.type.kind === "dummy" ? "NOARP" : "MULTICAST"];
  if (!link.up) return kind;
  return link.carrier ? [...kind, "UP", "LOWER_UP"] : ["NO-CARRIER", ...kind, "UP"];
}

/** operstate (RFC 2863): loopback, VXLAN and dummy devices do not report theirs. */
function stateOf(link: Link): string {
  if (!link.up || !link.carrier) return "DOWN";
  return link.type.kind === "loopback" || link.type.kind === "vxlan" || link.type.kind === "dummy" ? "UNKNOWN" : "UP";
}

/** IPv4 before IPv6; within IPv4 secondary addresses last, as the kernel keeps its list. */
function shownAddresses(link: Link, family: Family | undefined): readonly LinkAddress[] {
  const of = (wanted: Family) =>
    link.addresses.filter(({ cidr }) => familyOf(cidr.ip) === wanted && (family === undefined || family === wanted));
  const v4 = of(4);
  return [...v4.filter((each) => !isSecondary(v4, each)), ...v4.filter((each) => isSecondary(v4, each)), ...of(6)];
}

/** A second IPv4 address in the same prefix of the same link. */
function isSecondary(all: readonly LinkAddress[], address: LinkAddress): boolean {
  const first = all.find(({ cidr }) => cidr.length === address.cidr.length && cidrContains(networkOf(cidr), address.cidr.ip));
  return first !== address;
}

function printAddresses(link: Link, family: Family | undefined): string {
  const shown = shownAddresses(link, family);
  return shown
    .map((address) => {
      const { cidr, scope } = address;
      const lifetime = "       valid_lft forever preferred_lft forever\n";
      if (familyOf(cidr.ip) === 6) return `    inet6 ${formatCidr(cidr)} scope ${scope} \n${lifetime}`;
      const broadcast = link.type.kind === "loopback" ? undefined : broadcastOf(cidr);
      const secondary = isSecondary(
        shown.filter((each) => familyOf(each.cidr.ip) === 4),
        address,
      )
        ? " secondary"
        : "";
      return `    inet ${formatCidr(cidr)}${broadcast === undefined ? "" : ` brd ${broadcast}`} scope ${scope}${secondary} ${printableWord(link.name)}\n${lifetime}`;
    })
    .join("");
}

/** A link as `ip addr` shows it: what kind of device it is stays unsaid. */
export type ShownLink = {
  readonly index: number;
  readonly name: string;
  readonly mac?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly carrier: boolean;
  readonly master?: string;
  readonly peerIndex?: number; // `@if7`
  readonly addresses: readonly LinkAddress[];
};

/** Reads what `ip addr` or `ip link` printed. Lines of no link that can be understood are handed back. */
export function parseIpAddr(text: string): { readonly links: readonly ShownLink[]; readonly unread: readonly string[] } {
  const links: (ShownLink & { addresses: LinkAddress[] })[] = [];
  const unread: string[] = [];
  for (const line of text.split("\n")) {
    const words = wordsOf(line);
    const current = links.at(-1);
    const head = parseHead(line, words);
    const address = parseAddress(words);
    if (head) links.push({ ...head, addresses: [] });
    else if (current && words[0]?.startsWith("link/")) links.splice(-1, 1, isMac(words[1]) ? { ...current, mac: words[1] } : current);
    else if (current && address) current.addresses.push(address);
    else if (words.length > 0 && words[0] !== "valid_lft") unread.push(line);
  }
  return { links, unread };
}

function parseHead(line: string, words: readonly string[]): Omit<ShownLink, "addresses"> | undefined {
  const match = /^(\d{1,9}): ([^\s:@]{1,15})(?:@(?:if(\d{1,9})|\S+))?: <([^>]*)>/.exec(line);
  const name = match?.[2];
  if (!match || name === undefined) return undefined;
  const flags = (match[4] ?? "").split(",");
  const master = valueAfter(words, "master");
  return {
    index: Number(match[1]),
    name,
    mtu: numberOf(valueAfter(words, "mtu")) ?? 0,
    up: flags.includes("UP"),
    carrier: flags.includes("LOWER_UP"),
    ...(master === undefined ? {} : { master }),
    ...(match[3] === undefined ? {} : { peerIndex: Number(match[3]) }),
  };
}

function parseAddress(words: readonly string[]): LinkAddress | undefined {
  if (words[0] !== "inet" && words[0] !== "inet6") return undefined;
  const cidr = parseCidr(words[1] ?? "");
  const scope = valueAfter(words, "scope");
  return cidr && (scope === "global" || scope === "host" || scope === "link") ? { cidr, scope } : undefined;
}
