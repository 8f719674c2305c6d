/** `lab down` and `lab list`. */
import { checkRoot, down } from "../../lab/run.ts";
import { labsUp, readLab } from "../../lab/state.ts";
import { UsageError } from "../../objects/diagnostic.ts";
import { escapeText } from "../../render/escape.ts";
import type { Call } from "../command.ts";
import { countsOf } from "./up.ts";

export async function labDown(call: Call, named: readonly string[]): Promise<number> {
  checkRoot();
  const labs = call.options.all === true ? labsUp() : named;
  for (const lab of labs) {
    const known = labsUp().filter((each) => each !== lab);
    if (!(await down(lab))) throw new UsageError(`no lab ${lab} is up`, known.length === 0 ? undefined : `there is ${known.join(", ")}`);
    call.io.stdout.write(`lab ${lab} is removed\n`);
  }
  if (labs.length === 0) call.io.stdout.write("no lab is up\n");
  return 0;
}

export async function labList(call: Call): Promise<number> {
  checkRoot();
  const { stdout } = call.io;
  for (const lab of labsUp()) {
    const state = readLab(lab);
    stdout.write(`${lab}: ${state ? countsOf(state) : "half made: ktrace lab down removes it"}\n`);
    for (const { id, name, aliases = [] } of state?.namespaces ?? [])
      stdout.write(
        `  ${escapeText([id, ...aliases.filter((alias) => !alias.includes("/") && !id.endsWith(`/${alias}`))].join(", ")).padEnd(56)} ${name}\n`,
      );
  }
  return 0;
}
