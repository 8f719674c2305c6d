/** `ss`, `netstat` and `ifconfig`: listening sockets and interfaces. Established connections do not exist before a trace. */
import { printIfconfig } from "../../dialects/ifconfig.ts";
import { printNetstat, printNetstatRoutes } from "../../dialects/netstat.ts";
import type { SocketFilter } from "../../dialects/socket-list.ts";
import { printSs } from "../../dialects/ss.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { fails, type Program, shows } from "./program.ts";

const LONG: ReadonlyMap<string, string> = new Map([
  ["--listening", "l"],
  ["--all", "a"],
  ["--tcp", "t"],
  ["--udp", "u"],
  ["--sctp", "S"],
  ["--numeric", "n"],
  ["--processes", "p"],
  ["--program", "p"],
  ["--programs", "p"],
  ["--route", "r"],
  ["--ipv4", "4"],
  ["--ipv6", "6"],
  ["--inet", "4"],
  ["--inet6", "6"],
  ["--no-header", "H"],
]);

export const runSs: Program = (args, { netns }) => {
  const letters = lettersOf(args, "ss", "latuSnp46H");
  return shows(printSs(netns, { ...filterOf(letters), processes: letters.has("p"), header: !letters.has("H") }));
};

export const runNetstat: Program = (args, { netns }) => {
  const letters = lettersOf(args, "netstat", "latuSnpr46e");
  if (letters.has("r")) return shows(printNetstatRoutes(netns));
  return shows(printNetstat(netns, { ...filterOf(letters), processes: letters.has("p") }));
};

export const runIfconfig: Program = (args, { netns }) => {
  const [dev, ...more] = args.filter((word) => word !== "-a");
  if (more.length > 0 || dev?.startsWith("-")) throw new UsageError("ifconfig: only -a and one interface are understood");
  if (dev !== undefined && !netns.links.some((link) => link.name === dev))
    return fails(`${dev.replace(/[^\x20-\x7e]/g, "?")}: error fetching interface information: Device not found`);
  return shows(printIfconfig(netns, { all: args.includes("-a"), ...(dev === undefined ? {} : { dev }) }));
};

function lettersOf(args: readonly string[], program: string, known: string): Set<string> {
  const letters = args.flatMap((word) => {
    const long = LONG.get(word);
    if (long !== undefined) return [long];
    if (!/^-[^-]/.test(word)) throw new UsageError(`${program}: ${JSON.stringify(word)} is not understood`, `known flags: -${known}`);
    return [...word.slice(1)];
  });
  const unknown = letters.find((letter) => !known.includes(letter));
  if (unknown !== undefined) throw new UsageError(`${program}: flag -${unknown} is not understood`, `known flags: -${known}`);
  return new Set(letters);
}

function filterOf(letters: ReadonlySet<string>): SocketFilter {
  const family = letters.has("4") ? 4 : letters.has("6") ? 6 : undefined;
  return { tcp: letters.has("t"), udp: letters.has("u"), sctp: letters.has("S"), ...(family === undefined ? {} : { family }) };
}
