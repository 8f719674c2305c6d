/** Questions that nobody typed, as the commands would ask them: a connection, a ping, a request over HTTP. */
import type { Ip } from "../net/address.ts";
import type { Protocol } from "../net/packet.ts";
import type { Question } from "./question.ts";

/** `node2:31160`, `[fd00::1]:80`; without a port the host alone. */
export const hostPort = (host: string, port: number | undefined): string => {
  if (port === undefined) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
};

export type Plain = {
  readonly from: string | undefined; // SOURCE; undefined: the first outside host
  readonly host: string;
  readonly port?: number; // absent for a ping
  readonly protocol?: Protocol; // default tcp
  readonly namespace?: string;
};

/** As `ktrace --from SOURCE trace --to HOST:PORT --protocol NAME` asks it. */
export function plainQuestion({ from, host, port, protocol = "tcp", namespace = "default" }: Plain): Question {
  const flag = protocol === "tcp" ? "" : ` --protocol ${protocol}`;
  return {
    command: `trace --to ${hostPort(host, port)}${flag}`,
    program: "trace",
    from,
    namespace,
    to: { host, protocol, ...(port === undefined ? {} : { port }) },
    evidence: false,
  };
}

export type WebRequest = {
  readonly from: string | undefined;
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly hostHeader?: string;
  /** curl's --resolve: the address to take for the host. */
  readonly address?: Ip;
  readonly namespace?: string;
};

/** As `ktrace --from SOURCE curl URL` asks it. Certificates are not looked at. */
export function webQuestion({ from, scheme, host, port, path, hostHeader, address, namespace = "default" }: WebRequest): Question {
  const isSecure = scheme === "https";
  const named = hostPort(host, port === (isSecure ? 443 : 80) ? undefined : port);
  const shown = host.includes(":") && named === host ? `[${host}]` : named;
  const flags = [
    ...(isSecure ? ["-k"] : []),
    ...(hostHeader === undefined ? [] : [`-H 'Host: ${hostHeader}'`]),
    ...(address === undefined ? [] : [`--resolve ${hostPort(host, port)}:${address}`]),
  ];
  return {
    command: ["curl", ...flags, `${scheme}://${shown}${path}`].join(" "),
    program: "curl",
    from,
    namespace,
    to: { host, port, protocol: "tcp" },
    http: {
      scheme,
      path,
      method: "GET",
      ...(hostHeader === undefined ? {} : { hostHeader }),
      insecure: isSecure,
      head: false,
      follow: false,
      fail: false,
      resolve: address === undefined ? [] : [{ host, port, addresses: [address] }],
      connectTo: [],
    },
    evidence: false,
  };
}
