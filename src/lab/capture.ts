/**
 * What passed every interface of a lab, and which connections its packet filters began to track: one tcpdump and one
 * `conntrack -E` in each namespace, read as they write. All namespaces share one clock, so the records of all can be put in
 * one order. Events, not the table at the end: the kernel forgets a connection at once when its first answer is an RST.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { NetnsId } from "../linux/netns.ts";
import type { Packet } from "../net/packet.ts";
import { LabError } from "./error.ts";
import { createPcapReader } from "./pcap.ts";
import type { LabNamespace } from "./plan.ts";
import { labEnv, runProgram } from "./process.ts";
import type { Lab } from "./run.ts";
import { type CtEntry, parseConntrack } from "./tables.ts";
import { readPacket } from "./wire.ts";

/** One packet at one interface of one network stack. Inside a tunnel packet: `packet` is what it carries, `outer` around it. */
export type Sighting = {
  readonly netns: NetnsId;
  readonly dev: string;
  readonly direction: "in" | "out";
  readonly at: bigint; // nanoseconds
  readonly order: number; // among all of a batch: a packet that a bridge hands up keeps its time stamp
  readonly packet: Packet;
  readonly outer?: Packet;
  readonly length: number;
  readonly fin: boolean;
};

export type Captured = { readonly sightings: readonly Sighting[]; readonly entries: readonly CtEntry[] };

export type Capture = {
  /** Everything since the last call, packets oldest first. Waits until the captures have caught up with now. */
  readonly drain: () => Promise<Captured>;
  readonly stop: () => Promise<void>;
};

/** Where the probes put what they read, and who waits for a mark among the entries. */
type Sink = { readonly sightings: Sighting[]; readonly entries: CtEntry[]; readonly marks: Map<string, () => void> };
/** `catchUp` waits until all is read that the kernel had shown when it was called. */
type Deadline = { readonly over: Promise<void>; readonly isOver: () => boolean };
type Probe = { readonly catchUp: (deadline: Deadline) => Promise<void>; readonly stop: () => Promise<void> };

/** Starts capturing in these namespaces; answers when all do. */
export async function startCapture(lab: Lab, namespaces: readonly LabNamespace[]): Promise<Capture> {
  const view: View = {
    names: await linkNames(namespaces),
    bridged: new Set(lab.state.bridged.map(({ netns, link }) => `${netns} ${link}`)),
    vxlanPorts: lab.state.vxlanPorts,
  };
  const sink: Sink = { sightings: [], entries: [], marks: new Map() };
  const tracking = namespaces.filter(({ families }) => families.length > 0);
  const probes = await Promise.all([
    ...namespaces.map((namespace) => startProbe(namespace, view, sink)),
    ...tracking.map((namespace) => startTracking(namespace, sink)),
  ]);
  const catchUp = async (patienceMs: number): Promise<void> => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isOver = true;
        resolve();
      }, patienceMs);
    });
    await Promise.all(probes.map((probe) => probe.catchUp({ over, isOver: () => isOver }))).finally(() => clearTimeout(timer));
  };
  await untilTracking(catchUp);
  sink.entries.splice(0);
  sink.sightings.splice(0);
  return {
    drain: async () => {
      await catchUp(5000);
      const sightings = sink.sightings.splice(0).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.order - b.order));
      return { sightings: sightings.map((each, order) => ({ ...each, order })), entries: sink.entries.splice(0) };
    },
    stop: async () => void (await Promise.all(probes.map((probe) => probe.stop()))),
  };
}

/** `conntrack -E` does not say when it listens: it does once it shows a mark. */
async function untilTracking(catchUp: (patienceMs: number) => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const listens = await catchUp(200).then(
      () => true,
      () => false,
    );
    if (listens) return;
  }
  throw new LabError("the captures of this lab do not start");
}

const late = (id: NetnsId): LabError => new LabError(`${id}: the capture lags behind`);

/** Names of interfaces by "NETNS INDEX"; bridges and their ports as "NETNS LINK". */
type View = { readonly names: ReadonlyMap<string, string>; readonly bridged: ReadonlySet<string>; readonly vxlanPorts: readonly number[] };

const TCPDUMP = [
  "tcpdump",
  "-i",
  "any",
  "-y",
  "LINUX_SLL2",
  "-n",
  "-s",
  "300",
  "-U",
  "--immediate-mode",
  "--time-stamp-precision=nano",
  "-Z",
  "root",
  "-w",
  "-",
  // Not lo's way out, which libpcap would leave aside later: so that the numbers of packets seen and received are one.
  "(ip or ip6) and not (ifindex 1 and outbound)",
];

function startProbe({ id, name }: LabNamespace, { names, bridged, vxlanPorts }: View, { sightings }: Sink): Promise<Probe> {
  const child = spawn("nsenter", [`--net=/run/netns/${name}`, ...TCPDUMP], { stdio: ["ignore", "pipe", "pipe"], env: labEnv() });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = (): Promise<void> => {
    child.kill("SIGKILL");
    return ended;
  };
  let records = 0;
  const read = createPcapReader(({ at, ifindex, direction, bytes }) => {
    records += 1;
    const wire = readPacket(bytes, vxlanPorts);
    if (!wire) return;
    const { packet, length, fin } = wire;
    const dev = names.get(`${id} ${ifindex}`) ?? `if${ifindex}`;
    if (direction === "other" && !bridged.has(`${id} ${dev}`)) return; // flooded: the stack ignores it
    const inner = packet.inner?.packet;
    sightings.push({
      netns: id,
      dev,
      direction: direction === "out" ? "out" : "in",
      at,
      order: sightings.length,
      length,
      fin,
      ...(inner ? { packet: inner, outer: packet } : { packet }),
    });
  });
  child.stdout.on("data", read);
  let text = "";
  let told: (() => void) | undefined;
  /** tcpdump answers SIGUSR1 with what the kernel has handed it and what it has written. No packet of our own is needed. */
  const catchUp = async (deadline: Deadline): Promise<void> => {
    for (;;) {
      text = "";
      child.kill("SIGUSR1");
      const answer = new Promise<void>((resolve) => {
        told = resolve;
      });
      await Promise.race([answer, deadline.over]);
      const [captured, received, lost] = (/(\d+) packets? captured, (\d+) .*? by filter, (\d+) /.exec(text) ?? []).slice(1).map(Number);
      if (deadline.isOver()) throw late(id);
      if (lost !== undefined && lost > 0) throw new LabError(`${id}: the capture lost ${lost} packets`);
      if (captured !== undefined && captured === received && records >= captured) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return new Promise((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      if (text.includes("listening on")) resolve({ catchUp, stop });
      if (text.includes("by kernel\n")) told?.();
    });
    child.on("error", (error) => reject(new LabError(`tcpdump: ${error.message}`)));
    child.on("close", () => reject(new LabError(`${name}: tcpdump ended: ${text.trim()}`)));
  });
}

const FIRST_MARK = 40000;
const LAST_MARK = 49999;
const isMark = ({ protocol, original: { src, dst, dport } }: CtEntry): boolean =>
  protocol === "udp" && src === "127.0.0.1" && dst === "127.0.0.1" && dport >= FIRST_MARK && dport <= LAST_MARK;

/**
 * Entries as they are confirmed: both tuples, NAT included. Caught up when an entry shows that was put into the table by
 * hand: no packet is sent for it, which the rules might drop, and which would count.
 */
async function startTracking({ id, name }: LabNamespace, { entries, marks }: Sink): Promise<Probe> {
  const child = spawn("nsenter", [`--net=/run/netns/${name}`, "conntrack", "-E", "-e", "NEW", "-o", "extended"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: labEnv(),
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  child.on("error", () => {}); // a tool that is missing was named before; then no mark arrives
  createInterface({ input: child.stdout }).on("line", (line) => {
    for (const entry of parseConntrack(line, id)) {
      if (isMark(entry)) marks.get(`${id} ${entry.original.dport}`)?.();
      else entries.push(entry);
    }
  });
  let lastMark = FIRST_MARK;
  return {
    catchUp: async (deadline) => {
      lastMark = lastMark >= LAST_MARK ? FIRST_MARK : lastMark + 1;
      const key = `${id} ${lastMark}`;
      const arrived = new Promise<void>((resolve) => marks.set(key, resolve));
      const ends = `-s 127.0.0.1 -d 127.0.0.1 -p udp --sport 9 --dport ${lastMark} -t 1`;
      await runProgram("nsenter", [`--net=/run/netns/${name}`, "conntrack", "-I", ...ends.split(" ")]);
      await Promise.race([arrived, deadline.over]);
      marks.delete(key);
      if (deadline.isOver()) throw late(id);
    },
    stop: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

async function linkNames(namespaces: readonly LabNamespace[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  await Promise.all(
    namespaces.map(async ({ id, name }) => {
      const { stdout } = await runProgram("ip", ["-n", name, "-o", "link"]);
      for (const line of stdout.split("\n")) {
        const found = /^(\d+): ([^:@\s]+)[:@]/.exec(line);
        if (found) names.set(`${id} ${found[1]}`, found[2] ?? "");
      }
    }),
  );
  return names;
}
