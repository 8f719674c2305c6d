/**
 * Names and addresses that a CNI plugin draws at random: the host end of a veth pair, a MAC address, a container id. Here
 * they are digests of who they belong to, so that two runs print the same.
 */
import { createHash } from "node:crypto";
import type { ClusterPod } from "../../cluster/cluster.ts";
import type { NetnsId } from "../../linux/netns.ts";

export const podNetns = (pod: { readonly namespace: string; readonly name: string }): NetnsId => `pod/${pod.namespace}/${pod.name}`;

/** `veth` and eight hex digits, as the bridge plugin names the host end (containernetworking/plugins pkg/ip/link_linux.go RandomVethName). */
export const hostVethName = (pod: ClusterPod): string => `veth${digest(podNetns(pod)).slice(0, 8)}`;

/** A locally administered unicast MAC (IEEE 802: bit 1 of the first octet set, bit 0 clear). */
export function derivedMac(owner: string): string {
  const hex = digest(owner);
  const first = (Number.parseInt(hex.slice(0, 2), 16) & 0xfc) | 0x02;
  return [first.toString(16).padStart(2, "0"), ...[2, 4, 6, 8, 10].map((at) => hex.slice(at, at + 2))].join(":");
}

/** 64 hex digits, as containerd and docker number a sandbox. */
export const containerId = (pod: ClusterPod): string => createHash("sha256").update(podNetns(pod)).digest("hex");

const digest = (text: string): string => createHash("sha1").update(text).digest("hex");
