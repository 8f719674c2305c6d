/** `ipvsadm -Ln|-Sn` and `ipset list|save`: what kube-proxy in ipvs mode asked the kernel for. */
import { printIpsetList, printIpsetNames, printIpsetSave } from "../../dialects/ipset.ts";
import { printIpvsadm, printIpvsadmSave } from "../../dialects/ipvsadm.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { fails, type Program, shows } from "./program.ts";

/** Names are never looked up, so -n changes nothing. */
export const runIpvsadm: Program = (args, { netns }) => {
  const letters = args.flatMap((word) => IPVSADM_LONG.get(word) ?? (/^-[A-Za-z]+$/.test(word) ? [...word.slice(1)] : [word]));
  const unknown = letters.find((letter) => !"LlSn".includes(letter));
  if (unknown !== undefined) throw new UsageError(`ipvsadm: ${JSON.stringify(unknown)} is not understood`, "ipvsadm -Ln or ipvsadm -Sn");
  return shows(letters.includes("S") ? printIpvsadmSave(netns.ipvs) : printIpvsadm(netns.ipvs));
};

const IPVSADM_LONG: ReadonlyMap<string, readonly string[]> = new Map([
  ["--list", ["L"]],
  ["--save", ["S"]],
  ["--numeric", ["n"]],
]);

export const runIpset: Program = (args, { netns }) => {
  const words = args.filter((word) => !word.startsWith("-"));
  const flags = args.filter((word) => word.startsWith("-"));
  const unknown = flags.find((flag) => !["-L", "-S", "-n", "-name", "--list", "--save"].includes(flag));
  const [command = flags.includes("-S") || flags.includes("--save") ? "save" : "list", name, ...more] = flags.some((flag) =>
    /^-(L|S|-list|-save)$/.test(flag),
  )
    ? [undefined, ...words]
    : words;
  if (unknown !== undefined || more.length > 0 || (command !== "list" && command !== "save"))
    throw new UsageError(`ipset: ${JSON.stringify(args.join(" "))} is not understood`, "ipset list [SETNAME] [-n], ipset save [SETNAME]");
  const sets = [...(netns.netfilter.sets?.values() ?? [])];
  const chosen = name === undefined ? sets : sets.filter((set) => set.name === name);
  if (name !== undefined && chosen.length === 0) return fails("ipset v7.17: The set with the given name does not exist");
  if (flags.includes("-n") || flags.includes("-name")) return shows(printIpsetNames(chosen));
  return shows(command === "save" ? printIpsetSave(chosen) : printIpsetList(chosen));
};
