/** Node objects, also for machines that only the topology lists. */
import type { Node } from "../../objects/api.ts";
import type { Cluster, ClusterNode } from "../cluster.ts";
import { byCodeUnits } from "../order.ts";
import { type ApiShape, metadataOf, ownFields } from "./shape.ts";

export function nodeObjects(cluster: Cluster): ApiShape[] {
  return [...cluster.nodes].sort((a, b) => byCodeUnits(a.name, b.name)).map(nodeObject);
}

function nodeObject(node: ClusterNode): ApiShape {
  const podCIDRs = node.podCIDRs.map((cidr) => `${cidr.ip}/${cidr.length}`);
  const object: Node | undefined = node.object;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: metadataOf({ name: node.name, labels: node.labels }, object?.metadata),
    spec: {
      ...ownFields(object?.spec),
      ...(podCIDRs[0] === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs }),
      ...(node.taints.length > 0 ? { taints: node.taints } : {}),
      ...(node.unschedulable ? { unschedulable: true } : {}),
    },
    status: {
      ...ownFields(object?.status),
      addresses: [
        ...node.internalIPs.map((address) => ({ type: "InternalIP", address })),
        ...(node.externalIPs ?? []).map((address) => ({ type: "ExternalIP", address })),
        { type: "Hostname", address: node.name },
      ],
      conditions: object?.status?.conditions ?? [{ type: "Ready", status: node.ready ? "True" : "False" }],
      ...(Object.keys(node.nodeInfo).length > 0 ? { nodeInfo: node.nodeInfo } : {}),
    },
  };
}
