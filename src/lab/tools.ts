/**
 * Whether this machine can have a lab: Linux, root, and the programs that make and observe networks. The one place that
 * asks the machine what it is.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { labRequires } from "./error.ts";

/** Needed to build; Debian packages iproute2, util-linux. */
const BUILDING = ["ip", "bridge", "nsenter", "unshare", "flock", "sh"];
/** Needed to observe. */
const OBSERVING = ["tcpdump", "conntrack", "perl"];
const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  bridge: "iproute2",
  nsenter: "util-linux",
  unshare: "util-linux",
  flock: "util-linux",
  nft: "nftables",
  tcpdump: "tcpdump",
  conntrack: "conntrack",
  perl: "perl-base",
};

/** PATH of the programs that the lab starts: root's own directories may be missing from a sudo shell's. */
export const toolPath = (env: NodeJS.ProcessEnv): string =>
  [env.PATH ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin"].filter((dir) => dir !== "").join(delimiter);

/** Whether a program of that name can be started. */
export const isInstalled = (tool: string): boolean =>
  toolPath(process.env)
    .split(delimiter)
    .some((dir) => {
      try {
        accessSync(join(dir, tool), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

export type Needs = {
  readonly observing: boolean;
  readonly restores: readonly string[];
  readonly bridgeNetfilter: boolean;
};

/** Throws a LabError that says what is missing and how to get it. */
export function checkMachine(needs: Needs): void {
  labRequires(process.platform === "linux", `a lab needs Linux: it is made of network namespaces, and this is ${process.platform}`);
  labRequires(process.getuid?.() === 0, "a lab needs root, to make network namespaces and load packet filters: run it with sudo");
  const wanted = [...BUILDING, ...(needs.observing ? OBSERVING : []), ...needs.restores];
  const missing = wanted.filter((tool) => !isInstalled(tool));
  const packages = [...new Set(missing.map((tool) => PACKAGES[tool] ?? "iptables"))].sort();
  labRequires(missing.length === 0, `a lab needs ${missing.join(", ")}: apt-get install ${packages.join(" ")}`);
  labRequires(
    !needs.bridgeNetfilter || existsSync("/proc/sys/net/bridge/bridge-nf-call-iptables"),
    "this network has a bridge whose frames meet iptables, and the kernel module for it is not loaded: modprobe br_netfilter",
  );
}
