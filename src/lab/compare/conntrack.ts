/** Connection entries: those predicted against those that the kernel made. */
import type { ConntrackEntry } from "../../linux/conntrack.ts";
import { formatSocket, type Port } from "../../net/packet.ts";
import { isAnswer } from "../flow.ts";
import type { Observation } from "../observe.ts";
import type { Predicted } from "../predict.ts";
import type { CtEntry } from "../tables.ts";
import { type Bindings, samePort } from "./bindings.ts";
import type { Difference } from "./difference.ts";

/** Tunnel packets are connections of their own, shared by flows. */
export function withoutTunnels({ conntrack, request, reply, third, aftermath }: Predicted): ConntrackEntry[] {
  const outers = [...request, ...reply, ...third, ...aftermath].flatMap(({ outer }) => outer ?? []);
  return conntrack.filter(
    ({ original: { protocol, dst, dport } }) => !outers.some((o) => o.protocol === protocol && o.dst === dst && o.dport === dport),
  );
}

/** Then a server's later packets, which are not followed, can begin an entry (docs/deviations.md, untracked-answers). */
export const usesNotrack = ({ rules }: Predicted): boolean => rules.some(({ rule }) => rule.target.kind === "notrack");

/** The entries that are left: every predicted one is there, and no other of this flow. */
export function compareConntrack(
  predicted: readonly ConntrackEntry[],
  observed: Observation,
  bindings: Bindings,
  isUntracked: boolean,
): Difference[] {
  const own = predicted.filter(
    (entry) =>
      (entry.original.protocol === observed.flow.protocol && typeof entry.original.sport !== "string") ||
      String(entry.original.sport).startsWith("mport"),
  );
  const left = [...observed.conntrack];
  const missing = own.filter((entry) => {
    const i = left.findIndex((there) => sameEntry(bindings, entry, there));
    if (i >= 0) left.splice(i, 1);
    return i < 0;
  });
  return [
    ...missing.map(
      (entry): Difference => ({
        about: "conntrack",
        text: `no entry ${entry.netns} ${showTuple(entry.original)} | ${showTuple(entry.reply)}`,
      }),
    ),
    ...left
      .filter(({ original }) => !isUntracked || !isAnswer(original, observed, observed.conntrack))
      .map(
        (entry): Difference => ({
          about: "conntrack",
          text: `an entry that was not predicted: ${entry.netns} ${showTuple(entry.original)} | ${showTuple(entry.reply)}`,
        }),
      ),
  ];
}

const showTuple = ({
  src,
  sport,
  dst,
  dport,
}: {
  readonly src: string;
  readonly sport: Port;
  readonly dst: string;
  readonly dport: Port;
}): string => `${formatSocket(src, sport)}>${formatSocket(dst, dport)}`;

function sameEntry(bindings: Bindings, a: ConntrackEntry, b: CtEntry): boolean {
  if (a.netns !== b.netns || a.original.protocol !== b.protocol) return false;
  const ips =
    a.original.src === b.original.src && a.original.dst === b.original.dst && a.reply.src === b.reply.src && a.reply.dst === b.reply.dst;
  const tried: Bindings = new Map(bindings);
  const ports =
    ips &&
    samePort(tried, a.original.sport, b.original.sport) &&
    samePort(tried, a.original.dport, b.original.dport) &&
    samePort(tried, a.reply.sport, b.reply.sport) &&
    samePort(tried, a.reply.dport, b.reply.dport);
  if (ports) for (const [symbol, port] of tried) bindings.set(symbol, port);
  return ports;
}
