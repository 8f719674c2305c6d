/** A match of a rule that said no, in words for people and for the machine formats' `why`. */
import type { NftAsking } from "../linux/netfilter/nft.ts";
import type { Match } from "../linux/netfilter/rule.ts";
import { formatCidr } from "../net/address.ts";

/** Why a match said no, in words: "destination is not 10.96.0.1/32". An nft expression is in the rule's text as it stands. */
export function whyNot(part: Match | NftAsking): string {
  return isNft(part) ? nftWords(part) : matchWords(part);
}

const NFT_KINDS: ReadonlySet<string> = new Set([
  "compare",
  "mask",
  "lookup",
  "ct-state",
  "ct-status",
  "fib",
  "vmap",
  "numgen-vmap",
  "numgen-dnat",
  "reject",
  "update",
]);
type NftPart = Exclude<NftAsking, { readonly kind: "unknown" }>;
const isNft = (part: Match | NftAsking): part is NftPart => NFT_KINDS.has(part.kind);

function nftWords(part: NftPart): string {
  const not = "not" in part && part.not === true ? "" : "not ";
  switch (part.kind) {
    case "compare":
      return `${part.field} is ${not}${part.values.length > 1 ? "one of the list" : "the one named"}`;
    case "lookup":
      return `${part.fields.join(" . ")} is ${not}in set ${part.set}`;
    case "vmap":
      return `${part.fields.join(" . ")} is not in ${typeof part.map === "string" ? `map ${part.map}` : "the map"}`;
    case "ct-state":
      return `connection is ${not}${part.states.join(" or ")}`;
    case "ct-status":
      return `connection has ${not}status ${part.status.join(" or ")}`;
    case "fib":
      return `${part.side === "saddr" ? "source" : "destination"} is ${not}${part.type}`;
    case "mask":
      return `mark does not fit 0x${part.value.toString(16)}/0x${part.mask.toString(16)}`;
    case "reject":
    case "update":
    case "numgen-vmap":
    case "numgen-dnat":
      return "not for this packet";
    default:
      return part satisfies never;
  }
}

function matchWords(match: Match): string {
  const not = match.not === true ? "" : "not ";
  switch (match.kind) {
    case "src":
      return `source is ${not}${formatCidr(match.cidr)}`;
    case "dst":
      return `destination is ${not}${formatCidr(match.cidr)}`;
    case "in":
      return `did ${not}come in by ${match.name}`;
    case "out":
      return `does ${not}go out by ${match.name}`;
    case "protocol":
      return `protocol is ${not}${match.protocol}`;
    case "dport":
    case "sport": {
      const { from, to } = match.ports;
      return `${match.kind === "dport" ? "destination" : "source"} port is ${not}${from === to ? from : `${from}-${to}`}`;
    }
    case "multiport":
      return `port is ${not}one of the list`;
    case "tcp-flags":
      return `TCP flags are ${not}${match.set.join(",") || "none"}`;
    case "icmp-type":
      return `ICMP type is ${not}${match.type}`;
    case "mark":
      return `mark ${match.not === true ? "has" : "lacks"} 0x${match.value.toString(16)}`;
    case "ctstate":
      return `connection is ${not}${match.states.join(" or ")}`;
    case "addrtype":
      return `${match.side === "src" ? "source" : "destination"} is ${not}${match.type}${match.type === "LOCAL" ? ", an address of this machine" : ""}`;
    case "statistic-random":
      return "chance went the other way";
    case "statistic-nth":
      return "not this packet's turn";
    case "recent":
      return `${match.name} has ${match.not === true ? "seen" : "not seen"} this client`;
    case "set":
      return `${not}in set ${match.name}`;
    case "ipvs":
      return `${not}of the virtual server ${formatCidr(match.vaddr)} port ${match.vport}`;
    case "physdev":
      return "other bridge port";
    case "comment":
    case "unknown":
      return match.text;
    default:
      return match satisfies never;
  }
}
