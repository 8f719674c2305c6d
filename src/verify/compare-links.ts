/** `ip addr` against the prediction: devices, addresses, state, MTU. The names of pods' cables are random and not compared. */
import { parseIpAddr, type ShownLink } from "../dialects/ip-addr.ts";
import type { Link, Netns } from "../linux/netns.ts";
import { formatCidr, isLinkLocal } from "../net/address.ts";
import type { Capture } from "./capture.ts";
import { type Compared, type Difference, isVeth, without } from "./difference.ts";

export function compareLinks(netns: Netns, capture: Capture): Compared {
  const { links: real, unread } = parseIpAddr(capture.text);
  const lineOf = (name: string): number =>
    capture.text.split("\n").findIndex((line) => line.includes(`: ${name}:`) || line.includes(`: ${name}@`)) + 1;
  const predicted = netns.links.filter((link) => !isVeth(link));
  const isKnown = ({ name }: ShownLink): boolean => netns.links.some((link) => link.name === name);
  const foreign = real.filter((link) => !isKnown(link) && !isPodCable(link, netns));
  return {
    differences: predicted.flatMap((link) => {
      const twin = real.find(({ name }) => name === link.name);
      if (!twin) return [missingLink(link)];
      const at = { file: capture.file, line: lineOf(link.name) };
      return linkDifferences(link, twin).map((difference) => ({ ...difference, at }));
    }),
    foreign:
      foreign.length === 0
        ? []
        : [{ where: `ip addr: ${foreign.map(({ name }) => name).join(", ")}`, count: foreign.length, notUnderstood: [], keys: [] }],
    notes: unread.map((line) => `ip addr: not understood: ${line.trim()}`),
    captured: { ...netns, links: netns.links.flatMap((link) => (isVeth(link) ? [link] : capturedLink(link, real))) },
  };
}

/** A cable to a pod hangs on the CNI's bridge, or leads to some other network stack. */
const isPodCable = ({ name, master, peerIndex }: ShownLink, netns: Netns): boolean =>
  /^(veth|cali|lxc)/.test(name) && (peerIndex !== undefined || netns.links.some((link) => link.name === master));

function capturedLink(link: Link, real: readonly ShownLink[]): Link[] {
  const twin = real.find(({ name }) => name === link.name);
  if (!twin) return [];
  const { mtu, up, addresses } = twin;
  return [{ ...link, mtu, up, addresses, ...(twin.mac === undefined ? {} : { mac: twin.mac }) }];
}

const missingLink = (link: Link): Difference => ({
  area: "link",
  kind: "missing",
  where: "ip addr",
  predicted: `${link.name} ${link.addresses.map(({ cidr }) => formatCidr(cidr)).join(" ")}`.trim(),
  cause: link.cause,
  likely: whyLink(link.name),
  keys: [`link ${link.name}`],
});

function linkDifferences(link: Link, twin: ShownLink): Difference[] {
  const texts = (each: Link | ShownLink): string[] =>
    each.addresses.filter(({ cidr }) => !isLinkLocal(cidr.ip)).map(({ cidr }) => formatCidr(cidr));
  const lost = without(texts(link), texts(twin), (text) => text);
  const gained = without(texts(twin), texts(link), (text) => text);
  const base = { where: `ip addr: ${link.name}`, cause: link.cause, likely: whyLink(link.name) };
  const changed = (what: string, a: string, b: string): Difference[] =>
    a === b
      ? []
      : [{ ...base, area: "link", kind: "changed", predicted: `${what}${a}`, found: `${what}${b}`, keys: [`link ${link.name}`] }];
  const addresses = [
    ...lost.map(
      (text): Difference => ({ ...base, area: "address", kind: "missing", predicted: text, keys: [`address ${link.name} ${text}`] }),
    ),
    ...gained.map(
      (text): Difference => ({ ...base, area: "address", kind: "unexpected", found: text, keys: [`address ${link.name} ${text}`] }),
    ),
  ];
  return [
    ...addresses,
    ...changed("", link.up ? "up" : "down", twin.up ? "up" : "down"),
    ...changed("mtu ", String(link.mtu), String(twin.mtu)),
  ];
}

function whyLink(name: string): string {
  if (/^flannel/.test(name)) return "flanneld makes this device: is it running on this node, with this node's podCIDR?";
  if (/^(cni|cbr)/.test(name)) return "the bridge plugin makes it with the node's first pod, at the first address of the podCIDR";
  return "the topology's nodes[].interfaces says otherwise";
}
