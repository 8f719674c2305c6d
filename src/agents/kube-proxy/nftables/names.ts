/** Names of kube-proxy's nftables chains and sets: pkg/proxy/nftables/proxier.go (servicePortChainNameBase, hashAndTruncate). */
import type { ProxyEndpoint } from "../endpoints.ts";
import { chainHash } from "../names.ts";
import type { ServicePort } from "../service-ports.ts";

export type ChainKind = "service" | "local" | "external" | "firewall";

/** nft takes 255 characters; kube-proxy keeps to 240 (chainNameMaxLength). */
const LONGEST = 240;

/** `ns/svc/proto/port`; an unnamed port leaves the slash. */
const baseName = ({ service, port, protocol }: ServicePort): string => `${service.namespace}/${service.name}/${protocol}/${port.name}`;

export const portChainName = (kind: ChainKind, port: ServicePort): string => hashed(kind, baseName(port));

/** `__ip/port` follows the port's name; the colons of IPv6 are written as dots. */
export const endpointName = (kind: "endpoint" | "affinity", port: ServicePort, { ip, port: number }: ProxyEndpoint): string =>
  hashed(kind, `${baseName(port)}__${ip.replaceAll(":", ".")}/${number}`);

function hashed(kind: string, name: string): string {
  const text = `${kind}-${chainHash(name).slice(0, 8)}-${name}`;
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}
