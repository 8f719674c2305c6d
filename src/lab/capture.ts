/**
 * What passed every interface of a lab: one tcpdump in each namespace, read as it writes. All namespaces share one clock, so
 * the records of all can be put in one order.
 */
import { spawn } from "node:child_process";
import type { NetnsId } from "../linux/netns.ts";
import type { Packet } from "../net/packet.ts";
import { LabError } from "./error.ts";
import { createPcapReader } from "./pcap.ts";
import type { LabNamespace } from "./plan.ts";
import { labEnv, runProgram } from "./process.ts";
import type { Lab } from "./run.ts";
import { readPacket } from "./wire.ts";

/** One packet at one interface of one network stack. Inside a tunnel packet: `packet` is what it carries, `outer` around it. */
export type Sighting = {
  readonly netns: NetnsId;
  readonly dev: string;
  readonly direction: "in" | "out";
  readonly at: bigint;
  readonly packet: Packet;
  readonly outer?: Packet;
  readonly length: number;
  readonly fin: boolean;
};

export type Capture = {
  /** Everything seen since the last call, oldest first. Waits until the captures have caught up with now. */
  readonly drain: () => Promise<Sighting[]>;
  readonly stop: () => Promise<void>;
};

/** Starts capturing in these namespaces; answers when all do. */
export async function startCapture(lab: Lab, namespaces: readonly LabNamespace[]): Promise<Capture> {
  const names = await linkNames(namespaces);
  const bridged = new Set(lab.state.bridged.map(({ netns, link }) => `${netns} ${link}`));
  const seen: Sighting[] = [];
  const marks = new Map<string, () => void>();
  const probes = await Promise.all(namespaces.map((namespace) => startProbe(namespace, lab.state.vxlanPorts, names, bridged, seen, marks)));
  let lastMark = 40000;
  return {
    drain: async () => {
      lastMark = lastMark >= 49999 ? 40001 : lastMark + 1;
      await Promise.all(namespaces.map((namespace) => waitForMark(lab, namespace.id, lastMark, marks)));
      return seen.splice(0).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    },
    stop: async () => void (await Promise.all(probes.map((probe) => probe.stop()))),
  };
}

/** A datagram to oneself: when the capture shows it, it has shown all that came before. */
async function waitForMark(lab: Lab, id: NetnsId, port: number, marks: Map<string, () => void>): Promise<void> {
  const arrived = new Promise<void>((resolve) => marks.set(`${id} ${port}`, resolve));
  await lab.agent(id).mark(port);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new LabError(`${id}: the capture lags behind`)), 5000);
  });
  await Promise.race([arrived, late]).finally(() => clearTimeout(timer));
}

const isMark = (packet: Packet): boolean =>
  packet.protocol === "udp" &&
  packet.src === "127.0.0.1" &&
  packet.dst === "127.0.0.1" &&
  Number(packet.dport) >= 40000 &&
  Number(packet.dport) < 50000;

type Probe = { readonly stop: () => Promise<void> };
type Names = ReadonlyMap<string, string>; // "NETNS INDEX" → interface name

function startProbe(
  namespace: LabNamespace,
  vxlanPorts: readonly number[],
  names: Names,
  bridged: ReadonlySet<string>,
  seen: Sighting[],
  marks: Map<string, () => void>,
): Promise<Probe> {
  const tcpdump = [
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
  const child = spawn("nsenter", [`--net=/run/netns/${namespace.name}`, ...tcpdump], { stdio: ["ignore", "pipe", "pipe"], env: labEnv() });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = (): Promise<void> => {
    child.kill("SIGKILL");
    return ended;
  };
  const read = createPcapReader(({ at, ifindex, direction, bytes }) => {
    const wire = readPacket(bytes, vxlanPorts);
    if (!wire) return;
    if (isMark(wire.packet)) {
      marks.get(`${namespace.id} ${wire.packet.dport}`)?.();
      return;
    }
    const dev = names.get(`${namespace.id} ${ifindex}`) ?? `if${ifindex}`;
    if (direction === "other" && !bridged.has(`${namespace.id} ${dev}`)) return; // flooded: the stack ignores it
    const { packet, length, fin } = wire;
    const inner = packet.inner?.packet;
    seen.push({
      netns: namespace.id,
      dev,
      direction: direction === "out" ? "out" : "in",
      at,
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
    child.on("close", () => reject(new LabError(`${namespace.name}: tcpdump ended: ${text.trim()}`)));
  });
}

async function linkNames(namespaces: readonly LabNamespace[]): Promise<Names> {
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
