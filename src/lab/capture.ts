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

/** Where the probes put what they read, and who waits for a mark. */
type Sink = { readonly sightings: Sighting[]; readonly entries: CtEntry[]; readonly marks: Map<string, () => void> };
type Probe = { readonly stop: () => Promise<void> };

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
  let lastMark = FIRST_MARK;
  const catchUp = async (patienceMs: number): Promise<void> => {
    lastMark = lastMark >= LAST_MARK ? FIRST_MARK : lastMark + 1;
    await Promise.all(namespaces.map((namespace) => waitForMark(lab, namespace, lastMark, sink.marks, patienceMs)));
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
    const listens = await catchUp(100).then(
      () => true,
      () => false,
    );
    if (listens) return;
  }
  throw new LabError("the captures of this lab do not start");
}

const FIRST_MARK = 40000;
const LAST_MARK = 49999;
const isMark = ({
  protocol,
  src,
  dst,
  dport,
}: {
  readonly protocol: string;
  readonly src: string;
  readonly dst: string;
  readonly dport: number | string;
}): boolean =>
  protocol === "udp" && src === "127.0.0.1" && dst === "127.0.0.1" && Number(dport) >= FIRST_MARK && Number(dport) <= LAST_MARK;

/** A datagram to oneself: what shows it has shown all that came before. */
async function waitForMark(
  lab: Lab,
  namespace: LabNamespace,
  port: number,
  marks: Map<string, () => void>,
  patienceMs: number,
): Promise<void> {
  const kinds = namespace.families.length > 0 ? ["packet", "entry"] : ["packet"];
  const keys = kinds.map((kind) => `${kind} ${namespace.id} ${port}`);
  const arrived = Promise.all(keys.map((key) => new Promise<void>((resolve) => marks.set(key, resolve))));
  await lab.agent(namespace.id).mark(port);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LabError(`${namespace.id}: the capture lags behind`)), patienceMs);
  });
  await Promise.race([arrived, late]).finally(() => {
    clearTimeout(timer);
    for (const key of keys) marks.delete(key);
  });
}

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
  "ip or ip6",
];

function startProbe({ id, name }: LabNamespace, { names, bridged, vxlanPorts }: View, { sightings, marks }: Sink): Promise<Probe> {
  const child = spawn("nsenter", [`--net=/run/netns/${name}`, ...TCPDUMP], { stdio: ["ignore", "pipe", "pipe"], env: labEnv() });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = (): Promise<void> => {
    child.kill("SIGKILL");
    return ended;
  };
  const read = createPcapReader(({ at, ifindex, direction, bytes }) => {
    const wire = readPacket(bytes, vxlanPorts);
    if (!wire) return;
    const { packet, length, fin } = wire;
    if (isMark(packet)) return marks.get(`packet ${id} ${packet.dport}`)?.();
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
  return new Promise((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      if (text.includes("listening on")) resolve({ stop });
    });
    child.on("error", (error) => reject(new LabError(`tcpdump: ${error.message}`)));
    child.on("close", () => reject(new LabError(`${name}: tcpdump ended: ${text.trim()}`)));
  });
}

/** Entries as they are confirmed: both tuples, NAT included. */
async function startTracking({ id, name }: LabNamespace, { entries, marks }: Sink): Promise<Probe> {
  const child = spawn("nsenter", [`--net=/run/netns/${name}`, "conntrack", "-E", "-e", "NEW", "-o", "extended"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: labEnv(),
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  child.on("error", () => {}); // a tool that is missing was named before; then no mark arrives
  createInterface({ input: child.stdout }).on("line", (line) => {
    for (const entry of parseConntrack(line, id)) {
      if (isMark({ protocol: entry.protocol, ...entry.original })) marks.get(`entry ${id} ${entry.original.dport}`)?.();
      else entries.push(entry);
    }
  });
  return {
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
