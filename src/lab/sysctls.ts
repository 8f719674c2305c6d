/**
 * Kernel settings of a lab's namespaces. A new namespace copies the IPv4 device settings of the machine it is made on
 * (net.core.devconf_inherit_init_net), so all that matter are written down. Only settings that a namespace has for itself are
 * ever written: a topology cannot change the machine. Settings for tests' sake: ICMP errors are not rate limited, duplicate
 * address detection is off, no ICMP redirects are sent (they would change the next flow's way).
 */
import type { Netns } from "../linux/netns.ts";
import { LabError } from "./error.ts";
import { checkLinkName } from "./names.ts";

/** One file under /proc/sys. `optional`: kernels without the file do without. */
export type Sysctl = { readonly path: string; readonly value: string; readonly optional: boolean };

const PER_DEVICE = [
  "rp_filter",
  "accept_local",
  "accept_redirects",
  "send_redirects",
  "route_localnet",
  "arp_ignore",
  "arp_announce",
  "arp_filter",
  "proxy_arp",
  "src_valid_mark",
  "log_martians",
];
const OWN_PREFIXES = ["net.ipv4.", "net.ipv6.", "net.bridge.", "net.netfilter."];

/** What is set before any device is made: `all` and `default` decide for the devices to come. */
export function baseSysctls(netns: Netns): Sysctl[] {
  const stated = new Set(Object.keys(netns.sysctls));
  const ipv6 = netns.links.some((link) => link.addresses.some(({ cidr }) => cidr.ip.includes(":")));
  const usual: Record<string, string> = {
    "net.ipv4.ip_forward": "0",
    ...Object.fromEntries(
      PER_DEVICE.flatMap((key) => [`net.ipv4.conf.all.${key}`, `net.ipv4.conf.default.${key}`].map((name) => [name, "0"])),
    ),
    ...QUICK_TO_GIVE_UP,
    "net.ipv4.icmp_ratemask": "0", // a ratelimit of 0 would empty the bucket that ip_error draws on, too (inet_peer_xrlim_allow)
    "net.ipv4.icmp_msgs_per_sec": "100000",
    "net.ipv6.conf.all.disable_ipv6": ipv6 ? "0" : "1",
    "net.ipv6.conf.default.disable_ipv6": ipv6 ? "0" : "1",
    ...(ipv6 ? IPV6_QUIET : {}),
    ...(netns.links.some(({ type }) => type.kind === "bridge")
      ? { "net.bridge.bridge-nf-call-iptables": "1", "net.bridge.bridge-nf-call-ip6tables": "1" }
      : {}),
  };
  const usualOnes = Object.entries(usual)
    .filter(([name]) => !stated.has(name))
    .map(([name, value]) => ({ ...sysctlOf(name, value), optional: !name.startsWith("net.bridge.") && name !== "net.ipv4.ip_forward" }));
  return [
    ...usualOnes,
    ...statedOf(netns)
      .filter(({ name }) => deviceOf(name, netns) === undefined)
      .map(({ name, value }) => sysctlOf(name, value)),
  ];
}

/** What a failed connection sends again later would meet the next flow. */
const QUICK_TO_GIVE_UP: Readonly<Record<string, string>> = {
  "net.ipv4.tcp_synack_retries": "0",
  "net.ipv4.tcp_orphan_retries": "1",
  "net.ipv4.tcp_retries2": "3",
};

const IPV6_QUIET: Readonly<Record<string, string>> = {
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.all.accept_dad": "0",
  "net.ipv6.conf.default.accept_dad": "0",
  "net.ipv6.conf.all.accept_ra": "0",
  "net.ipv6.conf.default.accept_ra": "0",
  "net.ipv6.conf.all.accept_redirects": "0",
  "net.ipv6.conf.default.accept_redirects": "0",
  "net.ipv6.icmp.ratemask": "128", // no error is of this type
};

/** What names a device of the namespace, and so can be set only once that is there. */
export const deviceSysctls = (netns: Netns): Sysctl[] =>
  statedOf(netns)
    .filter(({ name }) => deviceOf(name, netns) !== undefined)
    .map(({ name, value }) => sysctlOf(name, value, deviceOf(name, netns)));

/** The namespace that holds the cables only switches: its frames must meet no packet filter of any kind. */
export const LAN_SYSCTLS: readonly Sysctl[] = [
  { path: "net/bridge/bridge-nf-call-iptables", value: "0", optional: true },
  { path: "net/bridge/bridge-nf-call-ip6tables", value: "0", optional: true },
  { path: "net/bridge/bridge-nf-call-arptables", value: "0", optional: true },
  { path: "net/ipv6/conf/all/disable_ipv6", value: "1", optional: true },
  { path: "net/ipv6/conf/default/disable_ipv6", value: "1", optional: true },
];

const statedOf = (netns: Netns): { readonly name: string; readonly value: string }[] =>
  Object.keys(netns.sysctls)
    .sort()
    .map((name) => ({ name, value: netns.sysctls[name] ?? "" }));

/** `net.ipv4.conf.flannel.1.rp_filter` is of the device flannel.1: only the ends of the name are fixed. */
function deviceOf(name: string, netns: Netns): string | undefined {
  const dev = /^net\.ipv[46]\.(?:conf|neigh)\.(.+)\.[^.]+$/.exec(name)?.[1];
  return dev !== undefined && netns.links.some((link) => link.name === dev) ? dev : undefined;
}

function sysctlOf(name: string, value: string, dev?: string): Sysctl {
  const known = OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) && /^[A-Za-z0-9_.@+-]+$/.test(name) && !name.includes("..");
  if (!known) throw new LabError(`sysctl ${JSON.stringify(name)} is not one that a network namespace has for itself`);
  if (!/^[0-9A-Za-z ._-]{0,64}$/.test(value))
    throw new LabError(`sysctl ${name}: the lab does not write the value ${JSON.stringify(value)}`);
  const path =
    dev === undefined
      ? name.replaceAll(".", "/")
      : name
          .split(`.${dev}.`)
          .map((part) => part.replaceAll(".", "/"))
          .join(`/${checkLinkName(dev)}/`);
  return { path, value, optional: false };
}
