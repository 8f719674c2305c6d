/** `ip addr|link|route|neigh`, `ip route get` and `bridge fdb`, with iproute2's abbreviations of words. */
import { printBridgeFdb } from "../../dialects/bridge-fdb.ts";
import { type IpAddrOptions, linkIndex, printIpAddr, printIpAddrBrief, printIpLink } from "../../dialects/ip-addr.ts";
import { printIpNeigh } from "../../dialects/ip-neigh.ts";
import { printIpRoute } from "../../dialects/ip-route.ts";
import { printIpRouteGet } from "../../dialects/ip-route-get.ts";
import { type Family, type Ip, parseIp } from "../../net/address.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { fails, type Program, type Shown, shows, type Where } from "./program.ts";

const OBJECTS = ["address", "link", "route", "neighbour"] as const;
const SHOW = /^(s(h(o(w)?)?)?|l(i?st?|s)?)$/;

export const runIp: Program = (args, where) => {
  const flags = args.filter((word) => word.startsWith("-"));
  const words = args.filter((word) => !word.startsWith("-"));
  const family = familyOf(flags, "ip");
  const brief = flags.some((flag) => /^-br(ief)?$/.test(flag));
  const typed = words[0] === "neighbor" || words[0] === "neigh" ? "neighbour" : words[0];
  const object = typed === undefined ? undefined : OBJECTS.find((known) => known.startsWith(typed));
  if (object === undefined) throw notShown("ip", words);
  const rest = words.slice(1);
  if (object === "route" && rest[0] !== undefined && /^g(et?)?$/.test(rest[0])) return routeGet(rest.slice(1), where);
  if (rest[0] !== undefined && SHOW.test(rest[0])) rest.shift();
  const dev = deviceOf(rest, object === "address" || object === "link", `ip ${words.join(" ")}`);
  if (dev !== undefined && !hasLink(where, dev)) return noDevice(dev);
  const options = { ...(dev === undefined ? {} : { dev }), ...(family === undefined ? {} : { family }) };
  return shows(print(object, brief, options, where));
};

function print(object: (typeof OBJECTS)[number], brief: boolean, options: IpAddrOptions, { netns, session }: Where): string {
  const indexOf: NonNullable<IpAddrOptions["indexOf"]> = (end) => {
    const other = session.world.netns(end.netns);
    return other === undefined ? undefined : linkIndex(other, end.link);
  };
  switch (object) {
    case "address":
      return brief ? printIpAddrBrief(netns, { ...options, indexOf }) : printIpAddr(netns, { ...options, indexOf });
    case "link":
      return printIpLink(netns, { ...(options.dev === undefined ? {} : { dev: options.dev }), indexOf });
    case "route":
      return printIpRoute(netns, options);
    case "neighbour":
      return printIpNeigh(netns, options);
    default:
      return object satisfies never;
  }
}

/** `ip route get [to] ADDRESS [from ADDRESS]` */
function routeGet(words: readonly string[], { netns }: Where): Shown {
  const [to, key, from, ...more] = words[0] === "to" ? words.slice(1) : words;
  if (to === undefined) return fails("need at least a destination address");
  if (more.length > 0 || (key !== undefined && (key !== "from" || from === undefined)))
    throw new UsageError("ip route get: only ADDRESS and `from ADDRESS` are understood");
  const source = from === undefined ? undefined : addressOf(from);
  const answer = printIpRouteGet(netns, addressOf(to), source);
  if (answer.kind === "not-modelled") throw new UsageError(`ip route get: ${answer.text}`);
  return answer.kind === "refused" ? fails(answer.text, 2) : shows(answer.text);
}

function addressOf(word: string): Ip {
  const ip = parseIp(word);
  if (ip === undefined) throw new UsageError(`ip route get: ${JSON.stringify(word)} is no address`);
  return ip;
}

export const runBridge: Program = (args, where) => {
  const words = args.filter((word) => !word.startsWith("-"));
  const rest = words.slice(1);
  if (words[0] !== "fdb") throw notShown("bridge", words);
  if (rest[0] !== undefined && SHOW.test(rest[0])) rest.shift();
  const dev = deviceOf(rest, false, `bridge ${words.join(" ")}`);
  if (dev !== undefined && !hasLink(where, dev)) return noDevice(dev);
  return shows(printBridgeFdb(where.netns, dev === undefined ? {} : { dev }));
};

function familyOf(flags: readonly string[], program: string): Family | undefined {
  const unknown = flags.find((flag) => !/^-(4|6|br|brief|o|oneline|d|details|s|statistics|c|color)$/.test(flag));
  if (unknown !== undefined) throw new UsageError(`${program}: flag ${unknown} is not understood`);
  return flags.includes("-6") ? 6 : flags.includes("-4") ? 4 : undefined;
}

/** `dev NAME`, for addresses and links also the bare name; `table main` says what is shown anyway. */
function deviceOf(words: readonly string[], bareName: boolean, command: string): string | undefined {
  const [first, second, ...more] = words;
  if (first === undefined) return undefined;
  if (first === "table" && second === "main" && more.length === 0) return undefined;
  if (first === "dev" && second !== undefined && more.length === 0) return second;
  if (bareName && second === undefined) return first;
  throw new UsageError(
    `${command}: ${JSON.stringify(first)} is not understood`,
    "addr, link, route and neigh can be shown, each with `dev NAME`; `ip route get ADDRESS`",
  );
}

const hasLink = ({ netns }: Where, dev: string): boolean => netns.links.some((link) => link.name === dev);
const noDevice = (dev: string): Shown => fails(`Device "${dev.replace(/[^\x20-\x7e]/g, "?")}" does not exist.`);

const notShown = (program: string, words: readonly string[]): UsageError =>
  new UsageError(
    `${program} ${words.join(" ")}: not understood`,
    program === "ip" ? "known: ip addr, ip link, ip route, ip route get, ip neigh" : "known: bridge fdb show [dev NAME]",
  );
