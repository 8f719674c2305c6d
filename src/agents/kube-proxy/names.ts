/**
 * The texts and chain names of kube-proxy: pkg/proxy/types.go (ServicePortName) and pkg/proxy/iptables/proxier.go
 * (portProtoHash, servicePortEndpointChainName). They hold no address, node or policy, so they are equal on all nodes.
 */
import { createHash } from "node:crypto";
import type { Version } from "../../cluster/cluster.ts";
import type { Ip } from "../../net/address.ts";
import { formatSocket } from "../../net/packet.ts";

/** `ns/name:port`, and `ns/name` for an unnamed port; before 1.19 the colon stood there even so. */
export function servicePortText(version: Version, namespace: string, name: string, portName: string): string {
  return portName === "" && isAtLeast(version, 19) ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`;
}

/** `ip:port`, `[ip6]:port` */
export const endpointText = (ip: Ip, port: number): string => formatSocket(ip, port);

/** What follows KUBE-SVC-, KUBE-SVL-, KUBE-EXT- and KUBE-FW- for one service port. */
export const servicePortHash = (text: string, protocol: string): string => chainHash(text + protocol);

/** The chain of one endpoint of one service port. */
export const endpointChainName = (text: string, protocol: string, endpoint: string): string =>
  `KUBE-SEP-${chainHash(text + protocol + endpoint)}`;

/** Whether a 1.x release is this one or newer. */
export const isAtLeast = (version: Version, minor: number): boolean => version.major > 1 || (version.major === 1 && version.minor >= minor);

/** The first 16 characters of the RFC 4648 base32 of the SHA-256. */
export function chainHash(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let out = "";
  for (let bit = 0; bit < 80; bit += 5) {
    const word = ((digest[bit >> 3] ?? 0) << 8) | (digest[(bit >> 3) + 1] ?? 0);
    out += BASE32[(word >> (11 - (bit & 7))) & 31];
  }
  return out;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
