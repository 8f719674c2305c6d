/** Where kube-apiserver runs, which the Service `kubernetes` leads to: kubeadm puts it on every control-plane node, port 6443. */
import type { Topology } from "../../objects/topology.ts";
import type { ClusterNode } from "../cluster.ts";
import type { Notes } from "../notes.ts";
import { ROLE_PREFIX } from "./node-object.ts";

export const API_SERVER_PORT = 6443;

/** Where the API server runs: control-plane nodes by label or taint. */
function controlPlaneNodes(nodes: readonly ClusterNode[]): ClusterNode[] {
  const isControlPlane = (node: ClusterNode) =>
    ["control-plane", "master"].some((role) => node.roles.includes(role) || node.taints.some((taint) => taint.key === ROLE_PREFIX + role));
  return nodes.filter(isControlPlane);
}

/** The API server listens on every control-plane node. Without one it is put on the first node, which keeps the Service `kubernetes` alive. */
export function withApiServer(nodes: readonly ClusterNode[], topology: Topology, notes: Notes): ClusterNode[] {
  const known = controlPlaneNodes(nodes);
  if (known.length === 0 && nodes[0])
    notes.assume("API server", `runs on node ${nodes[0].name}: no node has the role control-plane`, "spec.nodes[].labels");
  const serving = new Set((known.length > 0 ? known : nodes.slice(0, 1)).map((node) => node.name));
  return nodes.map((node) => {
    const listens = node.listens.some((listen) => listen.port === API_SERVER_PORT && (listen.protocol ?? "TCP") === "TCP");
    if (!serving.has(node.name) || listens) return node;
    if (topology.nodes) notes.assume(`node ${node.name}`, `the API server listens on ${API_SERVER_PORT}/TCP`, "spec.nodes[].listens");
    return { ...node, listens: [...node.listens, { port: API_SERVER_PORT, protocol: "TCP" }] };
  });
}

/** The nodes whose addresses the Service `kubernetes` leads to. */
export const apiServerNodes = (nodes: readonly ClusterNode[]): readonly ClusterNode[] => {
  const known = controlPlaneNodes(nodes);
  return known.length > 0 ? known : nodes.slice(0, 1);
};
