/**
 * The programs that `exec` shows the network stack with. Each reads the flags people use and prints what the real one would
 * from the state that the agents programmed; nothing is traced. A flag that is not understood is said, never guessed at.
 */
import type { ClusterPod } from "../../cluster/cluster.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Session } from "../session.ts";
import { runCat, runEnv } from "./files.ts";
import { runBridge, runIp } from "./iproute2.ts";
import { runIptables, runIptablesSave } from "./iptables.ts";
import { runIpset, runIpvsadm } from "./ipvs.ts";
import { runNft } from "./nft.ts";
import { type Program, type Shown, shows } from "./program.ts";
import { runIfconfig, runNetstat, runSs } from "./sockets.ts";

const PROGRAMS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ["ip", runIp],
  ["bridge", runBridge],
  ["ifconfig", runIfconfig],
  ["iptables-save", runIptablesSave(4)],
  ["ip6tables-save", runIptablesSave(6)],
  ["iptables", runIptables(4)],
  ["ip6tables", runIptables(6)],
  ["ipvsadm", runIpvsadm],
  ["ipset", runIpset],
  ["nft", runNft],
  ["ss", runSs],
  ["netstat", runNetstat],
  ["cat", runCat],
  ["env", runEnv],
  ["hostname", (_, { netns }) => shows(`${netns.hostname}\n`)],
]);

type Request = { readonly session: Session; readonly source: string; readonly container: string | undefined };

/** Runs one of the programs inside SOURCE. */
export function runProgram(command: readonly string[], { session, source, container }: Request): Shown {
  const [name = "", ...args] = command;
  const program = PROGRAMS.get(name);
  if (program === undefined) throw new UsageError(`exec does not know the command ${JSON.stringify(name)}`);
  const party = session.sourceOf(source);
  const netns = party.netns === undefined ? undefined : session.world.netns(party.netns);
  if (netns === undefined) throw new UsageError(`${source} has no network stack to look into: nothing of it runs`);
  const pod =
    party.kind === "pod" ? session.cluster.pods.find((one) => one.namespace === party.namespace && one.name === party.name) : undefined;
  checkContainer(pod, container, source);
  return program(args, { session, party, netns, ...(pod === undefined ? {} : { pod }), ...(container === undefined ? {} : { container }) });
}

/** One network stack a pod, so -c only decides the environment; a name that no container has is a mistake all the same. */
function checkContainer(pod: ClusterPod | undefined, container: string | undefined, source: string): void {
  if (container === undefined) return;
  if (pod === undefined) throw new UsageError(`${source} is no pod: -c does not apply`);
  const names = pod.containers.map((one) => one.name ?? "");
  if (!names.includes(container))
    throw new UsageError(`pod ${pod.namespace}/${pod.name} has no container ${JSON.stringify(container)}`, `it has ${names.join(", ")}`);
}
