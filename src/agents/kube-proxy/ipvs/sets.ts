/**
 * The ipsets of ipvs mode on one node. They hold what the few fixed iptables rules ask for, so that the rules need not grow
 * with the Services. Members are counted out when a packet or a reader first asks.
 */
import { createIpSet, type IpSetSpec } from "../../../linux/ipset.ts";
import type { IpSet } from "../../../linux/netfilter/table.ts";
import type { Family } from "../../../net/address.ts";
import { once } from "../iptables/dispatch.ts";
import { boundAddresses, type IpvsContext } from "./context.ts";
import { SET_KEYS, SETS, type SetKey } from "./set-definitions.ts";

export const setComment = (key: SetKey): string => SETS[key].comment;

/** KUBE-X, and KUBE-6-X for IPv6, which ipset's limit of 31 characters may cut. */
export const setName = (key: SetKey, family: Family): string => (family === 4 ? `KUBE-${key}` : `KUBE-6-${key}`).slice(0, 31);

export type ProxySets = {
  readonly all: readonly IpSet[];
  readonly isEmpty: (key: SetKey) => boolean;
};

/** The sets of one family. */
export function proxySets(context: IpvsContext): ProxySets {
  const entries = SET_KEYS.map((key) => [key, once(() => membersOf(context, key))] as const);
  const byKey = new Map(entries);
  const hasLocalEndpoint = once(() => !loopBackMembers(context).next().done);
  return {
    all: entries.map(([key, list]) => setOf(specOf(context, key, list), key)),
    isEmpty: (key) => (key === "LOOP-BACK" ? !hasLocalEndpoint() : (byKey.get(key)?.() ?? []).length === 0),
  };
}

function specOf({ family }: IpvsContext, key: SetKey, list: () => readonly string[]): IpSetSpec {
  const { type } = SETS[key];
  return { name: setName(key, family), type, members: list, ...(type === "bitmap:port" ? {} : { family }) };
}

function membersOf(context: IpvsContext, key: SetKey): readonly string[] {
  if (key === "LOOP-BACK") return [...loopBackMembers(context)];
  if (key === "IPVS-IPS") return boundAddresses(context);
  const { of } = SETS[key];
  return context.ports().flatMap((port) => of(context, port));
}

/** Only a packet to its own sender can be a hairpin: for all others the endpoints need not be counted out. */
function setOf(spec: IpSetSpec, key: SetKey): IpSet {
  const set = createIpSet(spec);
  if (key !== "LOOP-BACK") return set;
  return { ...set, holds: (packet, sides) => packet.src === packet.dst && set.holds(packet, sides) };
}

/** Every endpoint on the node, whatever its condition: a pod that reaches itself through its Service must not see itself. */
function* loopBackMembers({ ports, endpoints }: IpvsContext): Generator<string, void> {
  for (const port of ports())
    for (const endpoint of endpoints.all(port))
      if (endpoint.isLocal) yield `${endpoint.ip},${port.protocol}:${endpoint.port},${endpoint.ip}`;
}
