/** One trace against what was expected of it: a line for everything that is otherwise. */

import type { Cluster, ClusterPod } from "../cluster/cluster.ts";
import { createAddressBook } from "../compare/addresses.ts";
import { outcomeOf } from "../compare/outcome.ts";
import { cidrContains, parseCidr, parseIp } from "../net/address.ts";
import { BACKEND_KINDS, type BackendKey, type Expected, type ExpectedBackends, listOf } from "../objects/expectation.ts";
import type { Destination, Path, Trace } from "../trace/trace.ts";

/** What was expected and what is so instead; empty when all of it holds. `unknown` holds for nothing but itself. */
export function judge(cluster: Cluster, trace: Trace, expected: Expected): readonly string[] {
  const { not, only: _, ...positive } = expected;
  const isNegative = not !== undefined && judge(cluster, trace, not).length === 0;
  return [
    ...[...Object.keys(positive)].flatMap((key) => judgeOne(cluster, trace, key, positive)),
    ...(isNegative ? [`not: all of ${JSON.stringify(not)} holds`] : []),
  ];
}

function judgeOne(cluster: Cluster, trace: Trace, key: string, expected: Expected): readonly string[] {
  const { paths } = trace;
  const outcome = outcomeOf(trace);
  switch (key) {
    case "verdict": {
      const wanted = listOf(expected.verdict) ?? [];
      const there = wanted.includes("mixed") ? [trace.verdict] : [...new Set(paths.map(({ verdict }) => verdict))];
      return there.every((verdict) => wanted.includes(verdict)) ? [] : [`verdict: expected ${wanted.join(" or ")}, is ${endsOf(paths)}`];
    }
    case "reason": {
      const wanted = listOf(expected.reason) ?? [];
      const isSo =
        outcome.reasons.length > 0 &&
        paths.every(({ verdict, reason }) => verdict === "delivered" || (reason !== undefined && wanted.includes(reason)));
      return isSo
        ? []
        : [`reason: expected ${wanted.join(" or ")}, is ${outcome.reasons.length === 0 ? "none: delivered" : outcome.reasons.join(", ")}`];
    }
    case "status":
      return paths.every(({ status }) => status === expected.status)
        ? []
        : [`status: expected ${expected.status}, is ${outcome.statuses.join(", ") || "the backend's own"}`];
    case "exitCode": {
      const codes = [...new Set(paths.map(({ clientSees }) => clientSees.exitCode))];
      return codes.every((code) => code === expected.exitCode) ? [] : [`exitCode: expected ${expected.exitCode}, is ${codes.join(" or ")}`];
    }
    case "backends":
      return judgeBackends(cluster, paths, expected.backends ?? {});
    case "clientIPSeen":
      return judgeSeen(
        cluster,
        trace,
        "clientIPSeen",
        listOf(expected.clientIPSeen) ?? [],
        paths.flatMap(({ destination }) => destination ?? []),
      );
    case "clientIPAtProxy": {
      const proxies = paths.flatMap(({ legs }) => legs.find(({ proxy }) => proxy !== undefined)?.destination ?? []);
      return judgeSeen(cluster, trace, "clientIPAtProxy", listOf(expected.clientIPAtProxy) ?? [], proxies);
    }
    case "redirect": {
      const there = [...new Set(paths.flatMap(({ legs }) => legs.flatMap(({ proxy }) => proxy?.location ?? [])))];
      return there.length === 1 && there[0] === expected.redirect
        ? []
        : [`redirect: expected ${expected.redirect}, is ${there.join(", ") || "none"}`];
    }
    case "via": {
      const missing = (expected.via ?? []).filter((name) => !paths.every((path) => machinesOf(path).has(name)));
      return missing.map((name) => `via: a path does not cross ${name}`);
    }
    case "notVia": {
      const crossed = (expected.notVia ?? []).filter((name) => paths.some((path) => machinesOf(path).has(name)));
      return crossed.map((name) => `notVia: a path crosses ${name}`);
    }
    case "maxHops": {
      const most = Math.max(
        0,
        ...paths.map(({ legs }) => legs.reduce((sum, { kind, hops }) => sum + (kind === "dns" ? 0 : hops.length), 0)),
      );
      return most <= (expected.maxHops ?? 0) ? [] : [`maxHops: expected at most ${expected.maxHops}, a path has ${most}`];
    }
    default:
      return [];
  }
}

/** `delivered 2/3, rejected no-endpoints` */
function endsOf(paths: readonly Path[]): string {
  const ends = new Set(paths.map(({ verdict, reason }) => (reason === undefined ? verdict : `${verdict} (${reason})`)));
  const telling = paths.find(({ verdict }) => verdict !== "delivered");
  return `${[...ends].join(" and ")}${telling ? `: ${telling.text}` : ""}`;
}

const machinesOf = ({ legs }: Path): ReadonlySet<string> =>
  new Set(legs.flatMap(({ kind, hops }) => (kind === "dns" ? [] : hops.map(({ netns }) => netns.slice(netns.indexOf("/") + 1)))));

function judgeBackends(cluster: Cluster, paths: readonly Path[], expected: ExpectedBackends): readonly string[] {
  const book = createAddressBook(cluster);
  const destinations = paths
    .filter(({ verdict }) => verdict === "delivered" || verdict === "unanswered")
    .flatMap(({ destination }) => destination ?? []);
  const addresses = [
    ...new Set(destinations.map(({ ip, port }) => (port === undefined ? ip : ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`))),
  ].sort();
  const failures: string[] = [];
  const keys: readonly BackendKey[] = [
    "deployment",
    "statefulset",
    "daemonset",
    "replicaset",
    "replicationcontroller",
    "job",
    "pod",
    "node",
    "host",
  ];
  for (const key of keys) {
    const wanted = listOf(expected[key]);
    if (!wanted) continue;
    const wrong = destinations.find((each) => !namesOf(key, each, book.podNamed).some((name) => wanted.includes(name)));
    if (destinations.length === 0) failures.push(`backends: expected ${key} ${wanted.join(" or ")}, nobody takes the request`);
    else if (wrong) failures.push(`backends: expected ${key} ${wanted.join(" or ")}, ${wrong.ip} is ${describe(wrong, book.podNamed)}`);
  }
  if (expected.count !== undefined && addresses.length !== expected.count)
    failures.push(`backends: expected ${expected.count}, there are ${addresses.length}`);
  if (expected.addresses !== undefined && JSON.stringify([...expected.addresses].sort()) !== JSON.stringify(addresses))
    failures.push(`backends: expected exactly ${[...expected.addresses].sort().join(", ")}, there are ${addresses.join(", ") || "none"}`);
  return failures;
}

type FindPod = (name: string) => ClusterPod | undefined;

/** The names of a kind that a backend answers to: NAME and NAMESPACE/NAME. */
function namesOf(key: BackendKey, { kind, namespace = "", name, node }: Destination, find: FindPod): readonly string[] {
  if (key === "host") return kind === "host" || kind === "gateway" ? [name] : [];
  if (key === "node") return kind === "node" ? [name] : node === undefined ? [] : [node];
  const pod = kind === "pod" ? find(`${namespace}/${name}`) : undefined;
  const owners = key === "pod" ? [{ kind: "Pod", name }] : [pod?.workload, pod?.owner].flatMap((owner) => owner ?? []);
  return owners.filter((owner) => owner.kind === BACKEND_KINDS[key]).flatMap((owner) => [owner.name, `${namespace}/${owner.name}`]);
}

function describe({ kind, namespace, name }: Destination, find: FindPod): string {
  const workload = kind === "pod" ? find(`${namespace}/${name}`)?.workload : undefined;
  return workload
    ? `a pod of ${workload.kind} ${namespace}/${workload.name}`
    : `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function judgeSeen(
  cluster: Cluster,
  trace: Trace,
  key: string,
  wanted: readonly string[],
  destinations: readonly Destination[],
): readonly string[] {
  const book = createAddressBook(cluster);
  const nodes = new Set(cluster.nodes.map(({ name }) => name));
  const isSo = (seen: string): boolean =>
    wanted.some((word) => {
      const cidr = word.includes("/") ? parseCidr(word) : undefined;
      if (word === "preserved") return book.isOwn(trace.request.from, seen);
      if (word === "node") return nodes.has(book.machineOf(seen) ?? "") && !book.nameOf(seen).includes("/");
      return cidr ? cidrContains(cidr, seen) : parseIp(word) === seen;
    });
  if (destinations.length === 0) return [`${key}: nobody sees the client`];
  const wrong = destinations.find(({ clientIPSeen }) => clientIPSeen === undefined || !isSo(clientIPSeen));
  return wrong ? [`${key}: expected ${wanted.join(" or ")}, ${wrong.name} sees ${wrong.clientIPSeen ?? "nobody"}`] : [];
}
