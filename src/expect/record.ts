/** Today's behaviour as tests: every cell of the matrix, sources that fare alike together. */

import type { Cluster } from "../cluster/cluster.ts";
import { questionOf } from "../compare/ask.ts";
import type { Cell, CellPart, Matrix } from "../compare/matrix.ts";
import type { Outcome } from "../compare/outcome.ts";
import type { Target } from "../compare/targets.ts";
import { BACKEND_KINDS, type BackendKey, type Expectation, type Expected } from "../objects/expectation.ts";
import { hostPort } from "../trace/questions.ts";

/** One test a target and outcome. Every one of them passes on the cluster that it was recorded from. */
export function recordTests(cluster: Cluster, { targets, cells }: Matrix): readonly Expectation[] {
  return targets.flatMap((target, column) => {
    const asked = cells.flatMap((row) => row[column] ?? []).flatMap((cell) => partsOf(cell));
    const groups = new Map<string, { sources: string[]; part: CellPart; expect: Expected }>();
    for (const { source, part } of asked) {
      const expect = expectedOf(cluster, part.outcome);
      const key = JSON.stringify([{ ...part.asked, from: "" }, expect]);
      const group = groups.get(key) ?? { sources: [], part, expect };
      group.sources.push(source);
      groups.set(key, group);
    }
    return [...groups.values()].map(({ sources, part, expect }, i): Expectation => {
      const name = `${target.id}${groups.size > 1 ? `, ${i + 1}` : ""}`;
      return { name, fromEach: sources, ...requestOf(part, target), expect };
    });
  });
}

/** A row whose classes fare alike is one source; else each class is, by its representative. */
function partsOf({ source, parts }: Cell): { readonly source: string; readonly part: CellPart }[] {
  const [first] = parts;
  const alike = new Set(
    parts.map(({ outcome }) => JSON.stringify([outcome.verdict, outcome.reasons, outcome.backends.map(({ endpoint }) => endpoint)])),
  );
  return first && alike.size === 1 ? [{ source, part: first }] : parts.map((part) => ({ source: part.asked.from, part }));
}

/** A Service by its name: its address may change. */
function requestOf({ asked }: CellPart, { kind, object }: Target): Pick<Expectation, "to" | "protocol" | "run"> {
  const { command } = questionOf(asked, "default");
  if (command.startsWith("curl ")) return { run: command };
  const to = kind === "service" ? `svc/${object.namespace}/${object.name}:${asked.port}` : hostPort(asked.host, asked.port);
  return { to, ...(asked.protocol === "tcp" || asked.protocol === "icmpv6" ? {} : { protocol: asked.protocol }) };
}

function expectedOf(cluster: Cluster, { verdict, reasons, statuses, backends }: Outcome): Expected {
  const [status] = statuses;
  const names = new Map<BackendKey, Set<string>>();
  for (const { destination } of backends) {
    const pod = cluster.pods.find(
      ({ namespace, name }) => destination.kind === "pod" && namespace === destination.namespace && name === destination.name,
    );
    const owner = pod ? (pod.workload ?? pod.owner ?? { kind: "Pod", name: pod.name }) : undefined;
    const key = owner && keyOf(owner.kind);
    if (!pod || !owner || !key) return { verdict, ...(reasons.length > 0 ? { reason: reasons } : {}) };
    names.set(key, (names.get(key) ?? new Set()).add(`${pod.namespace}/${owner.name}`));
  }
  const [[key, found] = [undefined, undefined], other] = [...names];
  const isOne = key !== undefined && found !== undefined && other === undefined;
  return {
    verdict,
    ...(reasons.length > 0 ? { reason: reasons } : {}),
    ...(status !== undefined && statuses.length === 1 && verdict === "http-error" ? { status } : {}),
    ...(isOne ? { backends: { [key]: [...found].sort() } } : {}),
  };
}

const KEYS: readonly BackendKey[] = ["deployment", "statefulset", "daemonset", "replicaset", "replicationcontroller", "job", "pod"];
const keyOf = (kind: string): BackendKey | undefined => KEYS.find((key) => BACKEND_KINDS[key] === kind);
