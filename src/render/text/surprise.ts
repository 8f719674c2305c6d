/** The one fact that people get wrong: whose address the endpoint sees, and what would keep the client's. */
import type { Leg, Path, Trace } from "../../trace/trace.ts";
import { entranceOf, objectText } from "./cause.ts";
import type { Scene } from "./scene.ts";

/** One or two sentences about the delivered paths; none when no endpoint was reached. */
export function surpriseText(scene: Scene, trace: Trace): string[] {
  const reached = trace.paths.filter(
    (path) => path.destination?.clientIPSeen !== undefined && (path.verdict === "delivered" || path.verdict === "unanswered"),
  );
  const [first] = reached;
  if (!first) return [];
  const legs = first.legs.filter((leg) => leg.kind === "transport");
  if (legs.length > 1) return [proxyText(scene, reached, legs)];
  const client = legs[0]?.hops[0]?.packetIn.src;
  const seen = addressesSeen(reached);
  const who =
    first.destination?.kind === "pod"
      ? trace.paths.length > 1
        ? "The pods see"
        : "The pod sees"
      : `${first.destination?.name ?? "The server"} sees`;
  if (client === undefined) return [];
  if (seen.length === 1 && seen[0] === client && first.destination?.kind !== "pod") return [];
  if (seen.length === 1 && seen[0] === client) return [`${who} your own address ${client}: nothing rewrote the source.`];
  const other = seen.filter((ip) => ip !== client);
  const changed = reached.filter((path) => path.destination?.clientIPSeen !== client);
  const rewritten = `${other.join(" or ")}${ownerText(scene, changed, other)}`;
  const why = snatWhy(scene, changed);
  const said =
    changed.length === reached.length
      ? `${who} ${rewritten}, not ${client}`
      : `${who} your own address ${client}, but ${rewritten} on ${changed.length} of ${trace.pathsTotal} ways`;
  const head = `${said}${why === undefined ? "" : `: ${why}`}.`;
  return [head, ...(trace.request.from.kind === "host" ? keepText(scene, reached) : [])];
}

function proxyText(scene: Scene, paths: readonly Path[], legs: readonly Leg[]): string {
  const [front] = legs;
  const proxy = front?.proxy;
  const seenByProxy = front?.destination?.clientIPSeen ?? front?.hops.at(-1)?.packetIn.src ?? "the client";
  const seen = addressesSeen(paths);
  const pods = paths.length > 1 ? "the pods see" : "the pod sees";
  const name = proxy?.process ?? "the proxy";
  return `${name} sees ${seenByProxy}; ${pods} ${seen.join(" or ")}${ownerText(scene, paths, seen)}, for ${name} opens its own connection${proxy?.host === undefined ? "" : " and names the client in X-Forwarded-For"}.`;
}

const addressesSeen = (paths: readonly Path[]): string[] => [...new Set(paths.flatMap((path) => path.destination?.clientIPSeen ?? []))];

/** Which machine the rewritten source belongs to. */
function ownerText(scene: Scene, paths: readonly Path[], addresses: readonly string[]): string {
  const owners = new Set<string>();
  for (const hop of paths.flatMap((path) => path.legs.flatMap((leg) => leg.hops))) {
    const changed = hop.steps.some(
      (step) => step.kind === "nat" && step.manip === "src" && !step.reverse && addresses.includes(step.after.ip),
    );
    const sent = hop.steps.some((step) => step.kind === "send" && addresses.includes(step.packet.src));
    if (changed || sent) owners.add(scene.context.describe(hop.netns).title);
  }
  return owners.size === 0 ? "" : ` (${[...owners].join(" or ")})`;
}

/** Where the source is rewritten: on each machine of the way that does it. */
function snatWhy(scene: Scene, paths: readonly Path[]): string | undefined {
  for (const path of paths) {
    const hops = path.legs.flatMap((leg) => leg.hops);
    const rewriting = hops.filter((hop) => hop.steps.some((step) => step.kind === "nat" && step.manip === "src" && !step.reverse));
    const [first, ...more] = rewriting.map((hop) => scene.context.describe(hop.netns).title);
    if (first === undefined) continue;
    const where = [first, ...more].join(" and again on ");
    return `the source is rewritten on ${where} to the address of the device it leaves by, so that the answer comes back through it`;
  }
  return undefined;
}

/** For traffic that entered by a port or address of the outside: the field that keeps the client's address. */
function keepText(scene: Scene, paths: readonly Path[]): string[] {
  for (const step of paths.flatMap((path) => path.legs.flatMap((leg) => leg.hops.flatMap((hop) => hop.steps)))) {
    if (step.kind !== "nat" || step.manip !== "dst" || step.reverse) continue;
    const entrance = entranceOf(scene.context, step.because);
    if (!entrance || entrance.view.role === "cluster-ip") continue;
    const { object, place } = entrance.view;
    const where = object === undefined ? "" : ` of ${objectText(object)}${place === undefined ? "" : ` (${place})`}`;
    return [`To keep the client's address: \`externalTrafficPolicy: Local\`${where}; nodes without such a pod then stop answering.`];
  }
  return [];
}
