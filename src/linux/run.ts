/**
 * One complete course of a request through the network: the state that its packets leave behind in the kernels they
 * cross (conntrack, `recent` lists, open sockets) and the choices it made. A random choice is not rolled: `explore`
 * repeats the run once for every arm of every choice, so the kernel code stays a straight line and each path is the walk
 * of a network whose dice fell that way. Nothing outlives a run; a fork is a repetition.
 */
import type { Ip } from "../net/address.ts";
import type { CauseId } from "../net/cause.ts";
import { type Fraction, ONE, timesFraction } from "../net/fraction.ts";
import type { Packet, Port, Protocol } from "../net/packet.ts";
import type { ConntrackEntry, Tracked } from "./conntrack.ts";
import type { NetnsId, World } from "./netns.ts";
import type { Address } from "./step.ts";

/** Picks one of the arms, whose shares sum to 1; answers its index. */
export type Choose = (arms: readonly Fraction[]) => number;

/** An open socket of the conversation: packets that match it have arrived. `remote` absent: unconnected. */
export type OpenSocket = {
  readonly netns: NetnsId;
  readonly protocol: Protocol;
  readonly local: { readonly ip: Ip; readonly port: Port };
  readonly remote: { readonly ip: Ip; readonly port: Port };
};

/** A connection that IPVS of one netns carries: who asked, whom, and which real server it was given to. */
export type IpvsConnection = {
  readonly netns: NetnsId;
  readonly protocol: Protocol;
  readonly client: Address;
  readonly virtual: Address;
  readonly real: Address;
  readonly cause: CauseId;
};

export type Run = {
  readonly world: World;
  readonly choose: Choose;
  /** Keep every rule looked at, not only those that matched. */
  readonly evidence: boolean;
  readonly conntrack: ConntrackEntry[]; // newest last
  readonly recent: Map<string, Set<Ip>>; // xt_recent lists, by netns and list name
  readonly ipvs: IpvsConnection[];
  readonly persistence: Map<string, Address>; // IPVS templates: the real server of a client, by virtual server
  readonly multipath: Map<string, number>; // which next hop a flow was given, by netns and flow
  readonly sockets: OpenSocket[];
  /** The connection of the packet that an error answers, which the error carries with it (nf_ct_attach). */
  readonly attached: Map<Packet, Tracked>;
  /** How many symbols of each stem were drawn. */
  readonly drawn: ReadonlyMap<string, number>;
  /** The next value that the kernel would draw at random, as a symbol: "mport1", "mport2". */
  readonly nextSymbol: (stem: string) => string;
};

/** What a run leaves in the kernels, for a later one to begin with. */
export type RunState = Pick<Run, "conntrack" | "recent" | "ipvs" | "persistence" | "multipath" | "drawn">;

export const NOTHING_LEFT: RunState = {
  conntrack: [],
  recent: new Map(),
  ipvs: [],
  persistence: new Map(),
  multipath: new Map(),
  drawn: new Map(),
};

/** What the run has left so far: a copy, for connections and lists change while packets pass. */
export const stateOf = (state: RunState) => ({
  conntrack: state.conntrack.map((entry) => ({ ...entry })),
  recent: new Map([...state.recent].map(([list, addresses]) => [list, new Set(addresses)])),
  ipvs: [...state.ipvs],
  persistence: new Map(state.persistence),
  multipath: new Map(state.multipath),
  drawn: new Map(state.drawn),
});

export type RunOptions = { readonly evidence?: boolean; readonly before?: RunState };

export function createRun(world: World, choose: Choose, options: RunOptions = {}): Run {
  const state = stateOf(options.before ?? NOTHING_LEFT);
  const { drawn } = state;
  return {
    ...state,
    world,
    choose,
    evidence: options.evidence ?? false,
    sockets: [],
    attached: new Map(),
    nextSymbol: (stem) => {
      const next = (drawn.get(stem) ?? 0) + 1;
      drawn.set(stem, next);
      return `${stem}${next}`;
    },
  };
}

/** A complete course with its exact share. */
export type Branch<T> = { readonly share: Fraction; readonly value: T };

/** Every course of `body`, depth first, the first arm of each choice first. The shares sum to exactly 1. */
export function explore<T>(body: (choose: Choose) => T): Branch<T>[] {
  const branches: Branch<T>[] = [];
  const waiting: (readonly number[])[] = [[]];
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    const forced = prefix;
    const taken: number[] = [];
    const siblings: number[][] = [];
    let share = ONE;
    const value = body((arms) => {
      const arm = forced[taken.length] ?? 0;
      if (taken.length >= forced.length) for (let other = arms.length - 1; other > 0; other--) siblings.push([...taken, other]);
      taken.push(arm);
      share = timesFraction(share, arms[arm] ?? ONE);
      return arm;
    });
    branches.push({ share, value });
    waiting.push(...siblings);
  }
  return branches;
}

/** Whether the packet belongs to an open socket of this netns. */
export const socketOf = (run: Run, netns: NetnsId, packet: Packet): OpenSocket | undefined =>
  run.sockets.find(
    (socket) =>
      socket.netns === netns &&
      socket.protocol === packet.protocol &&
      socket.local.ip === packet.dst &&
      socket.local.port === packet.dport &&
      (isPing(socket) || (socket.remote.ip === packet.src && socket.remote.port === packet.sport)),
  );

/** A raw socket, as ping(8) has one, looks at the echo id alone. */
const isPing = ({ protocol }: OpenSocket): boolean => protocol === "icmp" || protocol === "icmpv6";

/** The open socket that sent the packet an ICMP error quotes. */
export const socketQuoted = (run: Run, netns: NetnsId, quoted: Packet): OpenSocket | undefined =>
  run.sockets.find(
    (socket) =>
      socket.netns === netns &&
      socket.protocol === quoted.protocol &&
      socket.local.ip === quoted.src &&
      socket.local.port === quoted.sport &&
      socket.remote.ip === quoted.dst &&
      socket.remote.port === quoted.dport,
  );
