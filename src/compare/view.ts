/** An outcome by names that stay when addresses and generated pod names change, so that two clusters can be held side by side. */
import type { Cluster } from "../cluster/cluster.ts";
import { addFractions, equalFractions, type Fraction, formatFraction, ONE, ZERO } from "../net/fraction.ts";
import type { Destination } from "../trace/trace.ts";
import { createAddressBook } from "./addresses.ts";
import type { CellPart } from "./matrix.ts";
import { workloadName } from "./who.ts";

export type View = {
  readonly verdicts: readonly string[]; // "delivered", "rejected no-endpoints", "http-error ingress-no-match 404"
  readonly backends: readonly string[]; // "1/3 deploy/default/tomcat6 on k8s-node2"
  readonly sees: readonly string[]; // "the client itself", "k8s-node2"
  readonly ways: readonly string[]; // machines in order
};
export type Viewer = (parts: readonly CellPart[]) => View;
/** Nothing is asked: the source or the target is not there. */
export const NO_VIEW: View = { verdicts: [], backends: [], sees: [], ways: [] };
export const seesClient = ({ sees }: View): boolean => sees.includes(CLIENT);

export function createViewer(cluster: Cluster): Viewer {
  const book = createAddressBook(cluster);
  const nameOf = ({ kind, namespace, name, ip, port }: Destination): string => {
    const pod = kind === "pod" && namespace !== undefined ? book.podNamed(`${namespace}/${name}`) : undefined;
    return `${pod ? `${workloadName(pod)} on ${pod.node ?? ""}` : kind === "address" ? book.nameOf(ip) : name}${typeof port === "number" ? ` port ${port}` : ""}`;
  };
  const placeOf = (netns: string): string => {
    const pod = netns.startsWith("pod/") ? book.podNamed(netns.slice("pod/".length)) : undefined;
    return pod ? workloadName(pod) : netns;
  };
  return (parts) => ({
    verdicts: unique(parts.map(({ outcome }) => [outcome.verdict, ...outcome.reasons, ...outcome.statuses].join(" "))),
    backends: unique(
      parts.flatMap(({ outcome }) => shares(outcome.backends.map(({ share, destination }) => ({ share, name: nameOf(destination) })))),
    ),
    sees: unique(
      parts.flatMap(({ outcome: { from, backends } }) =>
        backends.flatMap(({ sees }) => sees.map((ip) => (book.isOwn(from, ip) ? CLIENT : book.nameOf(ip)))),
      ),
    ),
    ways: unique(
      parts.flatMap(({ outcome: { from, backends } }) =>
        backends.flatMap(({ ways }) =>
          ways.map((way) =>
            way
              .split(/(?<= > | \| )|(?= > | \| )/)
              .map((step) => (step === from.netns ? "client" : placeOf(step)))
              .join(""),
          ),
        ),
      ),
    ),
  });
}

const CLIENT = "the client itself";
const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

/** Endpoints of one workload on one node are one backend. */
function shares(backends: readonly { readonly share: Fraction; readonly name: string }[]): string[] {
  const sums = new Map<string, Fraction>();
  for (const { name, share } of backends) sums.set(name, addFractions(sums.get(name) ?? ZERO, share));
  return [...sums].map(([name, share]) => (equalFractions(share, ONE) ? name : `${formatFraction(share)} ${name}`));
}
