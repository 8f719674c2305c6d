/** `lab up` and `lab export`: the plan of a lab from the cluster, built or printed. */
import { agentConfig, agentText } from "../../lab/agents.ts";
import { aliasesOf, nameFilesOf, netnsOfCluster, nftText, restoreText } from "../../lab/of-cluster.ts";
import { type LabPlan, planLab } from "../../lab/plan.ts";
import { servesOf } from "../../lab/processes.ts";
import { checkRoot, up } from "../../lab/run.ts";
import { renderExport } from "../../lab/script.ts";
import { escapeText } from "../../render/escape.ts";
import type { Call } from "../command.ts";
import type { Session } from "../session.ts";
import { cleaningUp } from "./signals.ts";

/** The lab of a whole cluster. */
export const planOf = ({ cluster, world, apps }: Session, lab: string, over: { readonly fastNeighbours?: boolean } = {}): LabPlan =>
  planLab(world, netnsOfCluster(cluster), {
    lab,
    restoreText,
    nftText,
    serves: servesOf(cluster, apps),
    nameFiles: (id) => nameFilesOf(cluster, apps, id),
    aliases: (id) => aliasesOf(cluster, id),
    ...over,
  });

export async function labUp(call: Call, lab: string): Promise<number> {
  checkRoot();
  const { io } = call;
  const plan = planOf(await call.open(call.flags, io), lab);
  const failed = await cleaningUp(io, lab, () => up(plan));
  io.stdout.write(`lab ${lab} is up: ${countsOf(plan)}\n`);
  for (const { id, name } of plan.namespaces) io.stdout.write(`  ${escapeText(id).padEnd(56)} ${name}\n`);
  for (const problem of [...failed, ...plan.left]) io.stderr.write(`ktrace: note: not in the lab: ${escapeText(problem)}\n`);
  const named = lab === "lab" ? "" : ` --name ${lab}`;
  io.stdout.write(`try it:    ${io.program} lab exec${named} ${sampleOf(plan)} -- curl …\nremove it: ${io.program} lab down${named}\n`);
  return 0;
}

export async function labExport(call: Call, lab: string): Promise<number> {
  const plan = planOf(await call.open(call.flags, call.io), lab);
  call.io.stdout.write(renderExport(plan, agentText(), (namespace) => agentConfig(namespace, true)));
  for (const each of plan.left) call.io.stderr.write(`ktrace: note: not in the lab: ${escapeText(each)}\n`);
  return 0;
}

/** `3 nodes, 8 pods, 1 host`. */
export function countsOf({ namespaces }: Pick<LabPlan, "namespaces">): string {
  const kinds = [
    ["node/", "node"],
    ["pod/", "pod"],
    ["host/", "host"],
    ["lab/", "router"],
  ] as const;
  return kinds
    .map(([prefix, word]) => ({ word, count: namespaces.filter(({ id }) => id.startsWith(prefix)).length }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${count} ${word}${count === 1 ? "" : "s"}`)
    .join(", ");
}

const sampleOf = ({ namespaces }: LabPlan): string => {
  const sample = namespaces.find(({ id }) => id.startsWith("host/")) ?? namespaces[0];
  return escapeText(sample?.aliases?.[0] ?? sample?.id ?? "SOURCE");
};
