/** A match of a rule that said no, in words for people and for the machine formats' `why`. */
import type { Match } from "../linux/netfilter/rule.ts";
import { formatCidr } from "../net/address.ts";

/** Why a match said no, in words: "destination is not 10.96.0.1/32". */
export function whyNot(match: Match): string {
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
