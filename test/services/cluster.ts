/** The cluster of fixtures/services under one mode and release of kube-proxy, and the short names of its machines and pods. */
import { readdirSync } from "node:fs";
import { decideCluster } from "../../src/cluster/decide.ts";
import { type Session, sessionOf } from "../../src/ktrace.ts";
import { type Input, readInput } from "../../src/manifests/input.ts";
import type { KubeProxyMode, Topology } from "../../src/objects/topology.ts";

type Variant = { readonly mode: KubeProxyMode; readonly version: string; readonly large?: true };

/** `-large`: with more than 1,000 endpoints in all, where kube-proxy leaves things out. */
export const MODES = {
  iptables: { mode: "iptables", version: "1.36" },
  ipt17: { mode: "iptables", version: "1.17" },
  ipt20: { mode: "iptables", version: "1.20" },
  ipt23: { mode: "iptables", version: "1.23" },
  nft30: { mode: "nftables", version: "1.30" },
  nft34: { mode: "nftables", version: "1.34" },
  nft36: { mode: "nftables", version: "1.36" },
  ipvs: { mode: "ipvs", version: "1.36" },
  userspace: { mode: "userspace", version: "1.20" },
  "iptables-large": { mode: "iptables", version: "1.36", large: true },
  "nft30-large": { mode: "nftables", version: "1.30", large: true },
  "nft36-large": { mode: "nftables", version: "1.36", large: true },
  "ipvs-large": { mode: "ipvs", version: "1.36", large: true },
  "userspace-large": { mode: "userspace", version: "1.20", large: true },
} as const satisfies Readonly<Record<string, Variant>>;

export type ModeName = keyof typeof MODES;
export const isMode = (name: string): name is ModeName => Object.hasOwn(MODES, name);

const sessions = new Map<ModeName, Session>();
const DIRECTORY = "fixtures/services";

export function openServices(name: ModeName): Session {
  const known = sessions.get(name);
  if (known) return known;
  const { mode, version, large }: Variant = MODES[name];
  const input = large ? readLarge() : readInput({ files: [], cwd: DIRECTORY });
  const read = large ? withCrowdListening(input.topology) : input.topology;
  const topology = { ...read, kubernetes: { ...read.kubernetes, version }, kubeProxy: { ...read.kubeProxy, mode } };
  const session = sessionOf({ ...input, topology }, decideCluster(input.objects, topology));
  sessions.set(name, session);
  return session;
}

/** Both servers on 300 ports each, a slice for every port number; two Services of them have 1,200 endpoints. */
const CROWD = Array.from({ length: 300 }, (_, i) => 10001 + i);

const crowdSlice = (service: string, port: number): string => `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${service}-${port}, labels: {kubernetes.io/service-name: ${service}}}
addressType: IPv4
ports: [{port: ${port}, protocol: TCP}]
endpoints:
  - {addresses: [10.244.1.11], nodeName: k8s-node2, conditions: {ready: true}}
  - {addresses: [10.244.2.11], nodeName: k8s-node3, conditions: {ready: true}}
`;

const crowdService = (name: string, number: number): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {type: NodePort, clusterIP: 10.96.1.${number}, ports: [{port: 80, targetPort: 10001, nodePort: 300${number}}]}
${CROWD.map((port) => crowdSlice(name, port)).join("")}`;

const crowds = (): string => `${crowdService("crowd", 40)}${crowdService("other-crowd", 41)}`;

const readLarge = (): Input =>
  readInput({ files: [...readdirSync(DIRECTORY).filter((name) => /^(?!ktrace).*\.yaml$/.test(name)), "-"], cwd: DIRECTORY, stdin: crowds });

const withCrowdListening = (topology: Topology): Topology => ({
  ...topology,
  pods: (topology.pods ?? []).map((pod) => {
    if (!/\/web-[ab]$/.test(pod.name)) return pod;
    const numbers = [8080, 8443, ...CROWD];
    return { ...pod, listens: [...numbers.map((port) => ({ port, protocol: "TCP" as const })), { port: 5353, protocol: "UDP" as const }] };
  }),
});

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
