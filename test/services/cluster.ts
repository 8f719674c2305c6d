/** The cluster of fixtures/services under one mode and release of kube-proxy, and the short names of its machines and pods. */
import { decideCluster } from "../../src/cluster/decide.ts";
import { type Session, sessionOf } from "../../src/ktrace.ts";
import { readInput } from "../../src/manifests/input.ts";
import type { KubeProxyMode } from "../../src/objects/topology.ts";

export const MODES = {
  iptables: { mode: "iptables", version: "1.36" },
  nft30: { mode: "nftables", version: "1.30" },
  nft36: { mode: "nftables", version: "1.36" },
  ipvs: { mode: "ipvs", version: "1.36" },
  userspace: { mode: "userspace", version: "1.20" },
} as const satisfies Readonly<Record<string, { readonly mode: KubeProxyMode; readonly version: string }>>;

export type ModeName = keyof typeof MODES;
export const isMode = (name: string): name is ModeName => Object.hasOwn(MODES, name);

const sessions = new Map<ModeName, Session>();

export function openServices(name: ModeName): Session {
  const known = sessions.get(name);
  if (known) return known;
  const { mode, version } = MODES[name];
  const input = readInput({ files: [], cwd: "fixtures/services" });
  const { topology: read } = input;
  const topology = { ...read, kubernetes: { ...read.kubernetes, version }, kubeProxy: { ...read.kubeProxy, mode } };
  const session = sessionOf({ ...input, topology }, decideCluster(input.objects, topology));
  sessions.set(name, session);
  return session;
}

export const SOURCES = {
  pod: "pod/default/probe", // k8s-node2
  "other-pod": "pod/default/peer", // k8s-node3
  own: "pod/default/web-a", // the server on k8s-node2
  node: "node/k8s-node2",
  "other-node": "node/k8s-node1", // no server there
  outside: "host/client",
} as const;
export type SourceName = keyof typeof SOURCES;
export const isSource = (name: string): name is SourceName => Object.hasOwn(SOURCES, name);
