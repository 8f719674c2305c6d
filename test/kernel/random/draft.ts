/**
 * A cluster as files: what the generator makes, what is read to try it, and what is printed when it fails, so that a
 * counterexample is a fixture as it stands. JSON is YAML.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCluster, type Session } from "../../../src/ktrace.ts";
import type { Topology, TopologyHost, TopologyNode, TopologyPod } from "../../../src/objects/topology.ts";
import type { Families } from "./families.ts";

export type ServicePortDraft = {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly targetPort: number | string;
  readonly nodePort?: number;
};
export type ServiceDraft = {
  readonly name: string;
  readonly spec: {
    readonly type: "ClusterIP" | "NodePort" | "LoadBalancer";
    readonly selector?: { readonly app: string };
    readonly ports: readonly ServicePortDraft[];
    readonly [key: string]: unknown;
  };
  readonly status?: { readonly loadBalancer: { readonly ingress: readonly { readonly ip: string; readonly ipMode?: "VIP" | "Proxy" }[] } };
};
export type PodDraft = {
  readonly name: string;
  readonly app: string;
  readonly node: string;
  readonly hostNetwork: boolean;
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol: "TCP" | "UDP" }[];
  readonly ready: boolean;
  readonly terminating?: boolean;
};
/** An EndpointSlice written by hand, for a Service without a selector. */
export type SliceDraft = {
  readonly service: string;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly protocol: string;
  readonly name?: string;
};

export type Draft = {
  readonly kubernetes: NonNullable<Topology["kubernetes"]>;
  readonly kubeProxy: NonNullable<Topology["kubeProxy"]>;
  readonly cni: NonNullable<Topology["cni"]>;
  readonly nodes: readonly TopologyNode[];
  readonly hosts: readonly TopologyHost[];
  readonly pods: readonly PodDraft[];
  readonly pins: readonly TopologyPod[];
  readonly services: readonly ServiceDraft[];
  readonly slices: readonly SliceDraft[];
  /** Lines of iptables-save by node and table: what the administrator wrote. */
  readonly rules: readonly { readonly node: string; readonly table: string; readonly line: string }[];
  /** Which iptables loads the rules. */
  readonly backend: "nft" | "legacy";
  readonly families: Families;
};

export type Change = (draft: Draft) => Draft;

/** File name → text. */
export function filesOf(draft: Draft): Readonly<Record<string, string>> {
  const { kubernetes, kubeProxy, cni, hosts, pins } = draft;
  const ruled = [...new Set(draft.rules.map(({ node }) => node))];
  const nodes = draft.nodes.map((node) => (ruled.includes(node.name) ? { ...node, iptables: `${node.name}.rules` } : node));
  const topology = {
    apiVersion: "ktrace.dev/v1alpha1",
    kind: "Topology",
    spec: { kubernetes, kubeProxy, cni, nodes, hosts, pods: [...placesOf(draft), ...pins] },
  };
  return {
    "topology.yaml": `${yaml(topology)}\n`,
    "manifests.yaml": `${[...draft.pods.map(podManifest), ...draft.services.map(serviceManifest), ...draft.slices.map(sliceManifest)].map((each) => yaml(each)).join("\n---\n")}\n`,
    ...Object.fromEntries(ruled.map((node) => [`${node}.rules`, rulesText(draft, node)])),
  };
}

/** Writes the files, reads them as `ktrace -f manifests.yaml -t topology.yaml` would, and removes them. */
export function openDraft(draft: Draft): Session {
  const dir = mkdtempSync(join(tmpdir(), "ktrace-random-"));
  try {
    writeFixture(draft, dir);
    return openCluster({ files: ["manifests.yaml"], topology: "topology.yaml", cwd: dir });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function writeFixture(draft: Draft, dir: string): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(filesOf(draft))) writeFileSync(join(dir, name), text);
}

/** Where pods run; a hostNetwork pod has its node's address. */
const placesOf = ({ pods, pins }: Draft): TopologyPod[] =>
  pods
    .filter(({ name }) => !pins.some((pin) => pin.name === `default/${name}`))
    .map(({ name, node }) => ({ name: `default/${name}`, node }));

const podManifest = ({ name, app, node, hostNetwork, ports, ready, terminating }: PodDraft): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    labels: { app },
    ...(terminating ? { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 600 } : {}),
  },
  spec: { nodeName: node, ...(hostNetwork ? { hostNetwork } : {}), containers: [{ name: "c", image: "example/c", ports }] },
  ...(ready ? {} : { status: { conditions: [{ type: "Ready", status: "False" }] } }),
});

const serviceManifest = ({ name, spec, status }: ServiceDraft): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec,
  ...(status === undefined ? {} : { status }),
});

const sliceManifest = ({ service, addresses, port, protocol, name = "1" }: SliceDraft, i: number): object => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${service}-${name}-${i}`, labels: { "kubernetes.io/service-name": service } },
  addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
  ports: [{ name: "", port, protocol }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
});

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
};

/** A line `:FORWARD DROP` is a policy. */
function rulesText({ rules }: Draft, node: string): string {
  const own = rules.filter((rule) => rule.node === node);
  const tables = Object.keys(BUILT_IN).filter((table) => own.some((rule) => rule.table === table));
  return tables
    .map((table) => {
      const lines = own.filter((rule) => rule.table === table).map(({ line }) => line);
      const isDropped = (chain: string): boolean => lines.includes(`:${chain} DROP`);
      const policies = (BUILT_IN[table] ?? []).map((chain) => `:${chain} ${isDropped(chain) ? "DROP" : "ACCEPT"} [0:0]`);
      return [`*${table}`, ...policies, ...lines.filter((line) => !line.startsWith(":")), "COMMIT", ""].join("\n");
    })
    .join("");
}

/** Flow style below two levels: one line an interface, a route, a port. */
function yaml(value: object): string {
  const block = (each: unknown, depth: number): string => {
    if (typeof each !== "object" || each === null) return JSON.stringify(each);
    const flat = JSON.stringify(each);
    if (depth >= 4 || flat.length <= 100 || Array.isArray(each) === depth > 3) return flat;
    const pad = "  ".repeat(depth + 1);
    const [open, close] = Array.isArray(each) ? "[]" : "{}";
    const items = Array.isArray(each)
      ? each.map((item) => `${pad}${block(item, depth + 1)}`)
      : Object.entries(each).map(([key, item]) => `${pad}${JSON.stringify(key)}: ${block(item, depth + 1)}`);
    return `${open}\n${items.join(",\n")}\n${"  ".repeat(depth)}${close}`;
  };
  return block(value, 0);
}
