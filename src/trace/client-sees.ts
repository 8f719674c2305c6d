/**
 * What the client program itself would print and return. Facts: curl(1) exit codes and messages (curl 7.x and 8.x without
 * timings), nc(1) of OpenBSD, ping(8) of iputils.
 */
import { formatSocket } from "../net/packet.ts";
import type { Errno } from "./connection.ts";
import { type LookupEnding, lookupSees } from "./lookup-output.ts";
import type { ClientSees, Request, Verdict } from "./trace.ts";

/** What is known of how the request ended, for the client's sake. */
export type Ending = {
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly errno?: Errno;
  readonly host: string;
  readonly ip?: string;
  readonly port?: number;
  readonly protocol: string;
  readonly who?: string; // who answered, for people
  readonly status?: number;
  readonly fail?: boolean; // curl -f
  readonly ttl?: number; // of an echo reply on arrival
  readonly nameTimeout?: boolean;
  readonly lookup?: LookupEnding; // of dig and nslookup
  readonly certificate?: "self-signed" | "handshake";
  readonly refusedFrom?: string; // the sender of an ICMP error
  readonly accepted?: boolean; // a proxy took the connection, and closed it without an answer
};

/** strerror() of the errnos a connect can give. */
const ERRNO_TEXT: Readonly<Record<Errno, string>> = {
  ECONNREFUSED: "Connection refused",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ETIMEDOUT: "Connection timed out",
  EACCES: "Permission denied",
  EINVAL: "Invalid argument",
  EPERM: "Operation not permitted",
};

const STATUS_TEXT: Readonly<Record<number, string>> = {
  301: "Moved Permanently",
  302: "Found",
  308: "Permanent Redirect",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  413: "Request Entity Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
};

export function clientSees(program: Request["program"], ending: Ending): ClientSees {
  switch (program) {
    case "curl":
      return curlSees(ending);
    case "nc":
      return ncSees(ending);
    case "ping":
      return pingSees(ending);
    case "dig":
    case "nslookup":
      return lookupSees(program, ending);
    case "trace":
      return traceSees(ending);
    default:
      return program satisfies never;
  }
}

const unknowable = (ending: Ending): ClientSees | undefined =>
  ending.verdict === "exits"
    ? { exitCode: 0, message: "whatever the network beyond the gateway answers: outside the model" }
    : ending.verdict === "unknown"
      ? { exitCode: 0, message: "not known: something that is not modelled decides" }
      : undefined;

function curlSees(ending: Ending): ClientSees {
  const { host, port, verdict, status } = ending;
  const beyond = unknowable(ending);
  if (beyond) return beyond;
  if (verdict === "unresolved") return { exitCode: 6, message: `curl: (6) Could not resolve host: ${host}` };
  if (verdict === "http-error" && ending.reason === "tls-failed") {
    if (ending.certificate === "handshake") return { exitCode: 35, message: "curl: (35) TLS connect error" };
    return { exitCode: 60, message: "curl: (60) SSL certificate problem: self-signed certificate" };
  }
  if (verdict === "http-error") {
    if (ending.fail === true && (status ?? 0) >= 400)
      return { exitCode: 22, message: `curl: (22) The requested URL returned error: ${status}` };
    return { exitCode: 0, message: `HTTP ${status} ${STATUS_TEXT[status ?? 0] ?? ""}`.trimEnd() };
  }
  if (verdict === "delivered") return { exitCode: 0, message: `the answer of ${ending.who ?? host}` };
  if (isHandshakeOnly(ending))
    return { exitCode: 28, message: `curl: (28) Operation timed out: connected to ${host}, which sends nothing` };
  if (ending.accepted) return { exitCode: 52, message: "curl: (52) Empty reply from server" };
  if (ending.errno === "ETIMEDOUT" || ending.errno === undefined)
    return { exitCode: 28, message: `curl: (28) Failed to connect to ${host} port ${port}: Connection timed out` };
  return { exitCode: 7, message: `curl: (7) Failed to connect to ${host} port ${port}: ${ERRNO_TEXT[ending.errno]}` };
}

function ncSees(ending: Ending): ClientSees {
  const { host, port, protocol, verdict } = ending;
  const beyond = unknowable(ending);
  if (beyond) return beyond;
  if (verdict === "unresolved")
    return { exitCode: 1, message: `nc: getaddrinfo for host "${host}" port ${port}: Name or service not known` };
  if (verdict === "delivered" || ending.accepted || (protocol === "tcp" && isHandshakeOnly(ending)))
    return { exitCode: 0, message: `Connection to ${host} ${port} port [${protocol}/*] succeeded!` };
  if (protocol === "udp" && isUnheard(ending)) return { exitCode: 1, message: "no answer" };
  return { exitCode: 1, message: `nc: connect to ${host} port ${port} (${protocol}) failed: ${ERRNO_TEXT[ending.errno ?? "ETIMEDOUT"]}` };
}

/** The kernel took the connection for a process that reads nothing. */
const isHandshakeOnly = ({ verdict, reason }: Ending): boolean => verdict === "unanswered" && reason === "not-listening";

/** A UDP socket without IP_RECVERR is not told of an ICMP host or net unreachable (icmp_err_convert: not fatal). */
function isUnheard({ errno, refusedFrom }: Ending): boolean {
  if (errno === "ETIMEDOUT" || errno === undefined) return true;
  return refusedFrom !== undefined && (errno === "EHOSTUNREACH" || errno === "ENETUNREACH");
}

function pingSees(ending: Ending): ClientSees {
  const { host, ip, verdict } = ending;
  const beyond = unknowable(ending);
  if (beyond) return beyond;
  if (verdict === "unresolved") return { exitCode: 2, message: `ping: ${host}: Name or service not known` };
  if (verdict === "delivered")
    return { exitCode: 0, message: `64 bytes from ${ip}: icmp_seq=1${ending.ttl === undefined ? "" : ` ttl=${ending.ttl}`}` };
  if (ending.errno === "EPERM") return { exitCode: 1, message: "ping: sendmsg: Operation not permitted" };
  if (verdict === "rejected" && ending.refusedFrom === undefined)
    return { exitCode: 2, message: `ping: connect: ${ERRNO_TEXT[ending.errno ?? "ENETUNREACH"]}` };
  if (verdict === "looped") return { exitCode: 1, message: `From ${ending.refusedFrom} icmp_seq=1 Time to live exceeded` };
  if (verdict === "rejected")
    return { exitCode: 1, message: `From ${ending.refusedFrom} icmp_seq=1 ${pingRefusal(ending.errno, ending.reason)}` };
  return { exitCode: 1, message: "1 packets transmitted, 0 received, 100% packet loss" };
}

function pingRefusal(errno: Errno | undefined, reason: string | undefined): string {
  if (errno === "ECONNREFUSED") return "Destination Port Unreachable";
  if (errno === "ENETUNREACH") return "Destination Net Unreachable";
  return reason === "rule-denied" && errno === "EACCES" ? "Packet filtered" : "Destination Host Unreachable";
}

function traceSees(ending: Ending): ClientSees {
  const beyond = unknowable(ending);
  if (beyond) return beyond;
  if (ending.verdict === "unresolved") return { exitCode: 1, message: `${ending.host}: Name or service not known` };
  const target = ending.ip === undefined || ending.port === undefined ? ending.host : formatSocket(ending.ip, ending.port);
  if (ending.verdict === "delivered") return { exitCode: 0, message: `${target} answers` };
  if (ending.accepted && ending.protocol === "tcp") return { exitCode: 1, message: `${target}: connected, then closed without an answer` };
  return { exitCode: 1, message: `${target}: ${ERRNO_TEXT[ending.errno ?? "ETIMEDOUT"]}` };
}
