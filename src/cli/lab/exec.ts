/** `lab exec SOURCE -- CMD`: any program of this machine, inside a node, pod or host of a lab that is up. */
import { checkRoot, execInside, findInLab } from "../../lab/run.ts";
import { labsUp, readLab } from "../../lab/state.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import type { Call } from "../command.ts";

export async function labExec(call: Call, named: string | undefined, words: readonly string[]): Promise<number> {
  checkRoot();
  const [source, ...command] = words;
  if (source === undefined || command.length === 0)
    throw new UsageError("lab exec needs a SOURCE and a command", "for example: ktrace lab exec client -- curl node2:31160");
  const lab = named ?? onlyLab();
  const state = readLab(lab);
  if (!state) throw new UsageError(`no lab ${lab} is up`, "ktrace lab up builds one");
  const id = findInLab(state, source) ?? (await resolved(call, source));
  return (await execInside(lab, id, command)).status;
}

/** Words that need the cluster: deploy/NAME, an address, a pod of another namespace. */
async function resolved(call: Call, source: string): Promise<string> {
  const party = (await call.open({ ...call.flags, quiet: true }, call.io)).sourceOf(source);
  if (party.netns === undefined) throw new UsageError(`${source} has no network stack to run in: nothing of it runs`);
  return party.netns;
}

function onlyLab(): string {
  const labs = labsUp();
  const [only] = labs;
  if (only === undefined) throw new UsageError("no lab is up", "ktrace lab up builds one");
  if (labs.length > 1 && !labs.includes("lab")) throw new UsageError(`which lab? There are ${labs.join(", ")}`, "--name LAB");
  return labs.includes("lab") ? "lab" : only;
}
