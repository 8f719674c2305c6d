/**
 * kube-proxy's settings with their defaults, and what it would refuse to start with: pkg/proxy/apis/config/validation. kubeadm
 * writes the pod CIDRs into clusterCIDR, and gives each kube-proxy its node's name by a flag that beats `hostnameOverride`.
 */
import { type Cidr, familyOf, formatCidr, parseCidr } from "../net/address.ts";
import type { PathPart } from "../objects/source.ts";
import type { KubeProxySettings, Topology } from "../objects/topology.ts";
import type { Cluster, Version } from "./cluster.ts";
import type { Given } from "./given.ts";
import type { Notes } from "./notes.ts";
import { atLeast } from "./version.ts";

export function decideKubeProxy(
  given: Given,
  topology: Topology,
  version: Version,
  podCIDRs: readonly Cidr[],
  notes: Notes,
): Cluster["kubeProxy"] {
  const { mode, clusterCIDR, hostnameOverride, ...rest } = topology.kubeProxy ?? {};
  if (mode === undefined) notes.assume("kube-proxy", "runs in iptables mode", "spec.kubeProxy.mode");
  const name = hostnameOverride?.trim().toLowerCase();
  const settings = {
    ...rest,
    mode: mode ?? "iptables",
    clusterCIDR: clusterCIDR ?? podCIDRs.map(formatCidr).join(","),
    ...(name === undefined || name === "" || isNamedByFlag(given) ? {} : { hostnameOverride: name }),
  };
  for (const { key, message, help } of problemsOf(settings, version)) complain(topology, notes, key, message, help);
  adviseOnMode(settings.mode, version, topology, notes);
  return settings;
}

/** The DaemonSet's `--hostname-override=$(NODE_NAME)`. */
const isNamedByFlag = (given: Given): boolean =>
  given
    .workloads("DaemonSet")
    .filter(({ metadata }) => metadata.namespace === "kube-system" && metadata.name === "kube-proxy")
    .some(({ spec }) =>
      (spec?.template?.spec?.containers ?? []).some((container) =>
        [...(container.command ?? []), ...(container.args ?? [])].some((word) => word.startsWith("--hostname-override")),
      ),
    );

type Problem = { readonly key: readonly PathPart[]; readonly message: string; readonly help?: string };

function problemsOf(settings: KubeProxySettings, version: Version): Problem[] {
  const { detectLocalMode, detectLocal, portRange, ipvs } = settings;
  const found: Problem[] = [...clusterCidrProblems(settings.clusterCIDR ?? ""), ...nodePortAddressProblems(settings, version)];
  if (detectLocalMode === "BridgeInterface" && !detectLocal?.bridgeInterface)
    found.push({ key: ["detectLocal", "bridgeInterface"], message: "detectLocalMode BridgeInterface needs detectLocal.bridgeInterface" });
  if (detectLocalMode === "InterfaceNamePrefix" && !detectLocal?.interfaceNamePrefix)
    found.push({
      key: ["detectLocal", "interfaceNamePrefix"],
      message: "detectLocalMode InterfaceNamePrefix needs detectLocal.interfaceNamePrefix",
    });
  if (portRange !== undefined && !/^\d{1,5}([-+]\d{1,5})?$/.test(portRange))
    found.push({
      key: ["portRange"],
      message: `portRange "${portRange}" is no range of ports`,
      help: 'for example "30000-32767", or leave it out',
    });
  if (ipvs?.scheduler && !SCHEDULERS.has(ipvs.scheduler))
    found.push({
      key: ["ipvs", "scheduler"],
      message: `ipvs has no scheduler "${ipvs.scheduler}"`,
      help: `it has ${[...SCHEDULERS].join(", ")}`,
    });
  return found;
}

/** The kernel's (net/netfilter/ipvs/Kconfig). */
const SCHEDULERS: ReadonlySet<string> = new Set([
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "dh",
  "sh",
  "sed",
  "nq",
  "mh",
  "fo",
  "ovf",
  "twos",
]);

function clusterCidrProblems(text: string): Problem[] {
  const key = ["clusterCIDR"];
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const cidrs = parts.map((part) => (part.includes("/") ? parseCidr(part) : undefined));
  const bad = parts.find((_, i) => cidrs[i] === undefined);
  if (bad !== undefined) return [{ key, message: `clusterCIDR "${bad}" is no prefix in CIDR form`, help: 'for example "10.244.0.0/16"' }];
  const families = cidrs.flatMap((cidr) => (cidr ? [familyOf(cidr.ip)] : []));
  if (parts.length > 2 || new Set(families).size < families.length)
    return [{ key, message: `clusterCIDR "${text}" may hold one prefix, or one of each family` }];
  return [];
}

/** `primary` stands alone, and is known from 1.31. */
function nodePortAddressProblems({ nodePortAddresses = [] }: KubeProxySettings, version: Version): Problem[] {
  return nodePortAddresses.flatMap((text, i): Problem[] => {
    const key = ["nodePortAddresses", i];
    if (text === "primary") {
      if (!atLeast(version, 1, 31)) return [{ key, message: 'nodePortAddresses: "primary" is known from 1.31' }];
      return nodePortAddresses.length === 1 ? [] : [{ key, message: 'nodePortAddresses: "primary" stands alone' }];
    }
    return text.includes("/") && parseCidr(text) ? [] : [{ key, message: `nodePortAddresses: "${text}" is no prefix in CIDR form` }];
  });
}

function complain(topology: Topology, notes: Notes, key: readonly PathPart[], message: string, help?: string): void {
  notes.report({
    code: "topology-invalid-value",
    message: `kube-proxy: ${message}`,
    ...placeOf(topology, key),
    ...(help === undefined ? {} : { help }),
  });
}

/** In the configuration that was read, where there is one; else in the topology. */
function placeOf({ kubeProxySource, source }: Topology, key: readonly PathPart[]) {
  return kubeProxySource ?? { source, field: ["spec", "kubeProxy", ...key] };
}

/** Modes that came, go or are gone: KEP-3866 nftables, KEP-5495 ipvs, userspace removed in 1.26. */
function adviseOnMode(mode: Cluster["kubeProxy"]["mode"], version: Version, topology: Topology, notes: Notes): void {
  const say = (message: string, help: string): void =>
    notes.report({ code: "KT607", severity: "warning", message: `kube-proxy: ${message}`, help, ...placeOf(topology, ["mode"]) });
  if (mode === "userspace" && atLeast(version, 1, 26))
    say(
      `mode userspace was removed in 1.26, this is ${version.text}`,
      "set kubernetes.version below 1.26 to see what it did, or use iptables",
    );
  if (mode === "nftables" && !atLeast(version, 1, 29)) say(`mode nftables came with 1.29, this is ${version.text}`, "use iptables or ipvs");
}
