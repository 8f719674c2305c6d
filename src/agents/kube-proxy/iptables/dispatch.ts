/**
 * The long chains that find a packet's service port: KUBE-SERVICES, KUBE-NODEPORTS, KUBE-EXTERNAL-SERVICES,
 * KUBE-PROXY-FIREWALL. A packet asks only for the rules of the ports it can belong to, by (protocol, address, port).
 */
import type { Rule } from "../../../linux/netfilter/rule.ts";
import type { Chain } from "../../../linux/netfilter/table.ts";
import type { Ip } from "../../../net/address.ts";
import type { ServicePort } from "../service-ports.ts";

export type Dispatch = {
  readonly name: string;
  readonly ports: () => readonly ServicePort[];
  /** What a packet must carry for one of the port's rules to match: `addressKey` or `portKey`. */
  readonly keys: (port: ServicePort) => readonly string[];
  readonly rules: (port: ServicePort) => readonly Rule[];
  /** Rules after all services. Any packet may match them. */
  readonly tail?: () => readonly Rule[];
};

export const addressKey = (protocol: string, ip: Ip, port: number | string): string => `${protocol} ${ip} ${port}`;
/** Any address. */
export const portKey = (protocol: string, port: number | string): string => `${protocol} * ${port}`;

/** Makes the rules of a port when they are first asked for; a position is counted only when it is read. */
export function dispatchChain({ name, ports, keys, rules, tail }: Dispatch): Chain {
  const made = new Map<ServicePort, readonly Rule[]>();
  const rulesOf = (port: ServicePort | undefined): readonly Rule[] => {
    if (port === undefined) return [];
    const known = made.get(port) ?? rules(port);
    made.set(port, known);
    return known;
  };
  const tailRules = once(() => tail?.() ?? []);
  const index = once(() => indexByKey(ports(), keys));
  const starts = once(() => prefixSums(ports().map((port) => rulesOf(port).length)));
  return {
    name,
    rules: () => [...ports().flatMap(rulesOf), ...tailRules()],
    candidates: (packet) => {
      const found = [addressKey(packet.protocol, packet.dst, packet.dport), portKey(packet.protocol, packet.dport)].flatMap(
        (key) => index().get(key) ?? [],
      );
      const inOrder = [...new Set(found)].sort((a, b) => a - b);
      const ofPorts = inOrder.flatMap((at) =>
        rulesOf(ports()[at]).map((rule, offset) => candidate(rule, () => (starts()[at] ?? 0) + offset)),
      );
      return [...ofPorts, ...tailRules().map((rule, offset) => candidate(rule, () => (starts().at(-1) ?? 0) + offset))];
    },
  };
}

type Candidate = { readonly position: number; readonly rule: Rule };

const candidate = (rule: Rule, positionOf: () => number): Candidate => ({
  rule,
  get position() {
    return positionOf();
  },
});

/** The value of a function that is called at most once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function indexByKey(ports: readonly ServicePort[], keys: Dispatch["keys"]): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  ports.forEach((port, at) => {
    for (const key of keys(port)) {
      const known = index.get(key);
      if (known) known.push(at);
      else index.set(key, [at]);
    }
  });
  return index;
}

/** Where each block starts; the last entry is the length of all. */
function prefixSums(lengths: readonly number[]): readonly number[] {
  const sums = [0];
  for (const length of lengths) sums.push((sums.at(-1) ?? 0) + length);
  return sums;
}
