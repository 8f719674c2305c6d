/**
 * The reference cluster as a real network, changed as a test says, and a table of flows sent through it. Throws where a lab
 * cannot be: on a machine without root or tools these tests fail, they do not skip.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decideCluster } from "../../src/cluster/decide.ts";
import { type Session, sessionOf } from "../../src/ktrace.ts";
import type { Difference } from "../../src/lab/compare/difference.ts";
import { describeDisagreement, type JudgedFlow, judgeBatch } from "../../src/lab/judge.ts";
import { type Flow, type Observer, startObserver } from "../../src/lab/observe.ts";
import { netnsOfCluster, restoreText } from "../../src/lab/of-cluster.ts";
import { type LabOptions, planLab } from "../../src/lab/plan.ts";
import { down, holdLab, type Lab } from "../../src/lab/run.ts";
import { readInput } from "../../src/manifests/input.ts";
import { fractionToNumber } from "../../src/net/fraction.ts";
import type { Topology } from "../../src/objects/topology.ts";

const FIXTURE = fileURLToPath(new URL("../../fixtures/tomcat6", import.meta.url));
const SERVICES = fileURLToPath(new URL("./reference-services.yaml", import.meta.url));

/** Machines outside that ask in unusual ways, beside the fixture's `client`. */
const HOSTS: Topology["hosts"] = [
  // Uses node2 as its router to Services, pods and the addresses of load balancers.
  {
    name: "routed",
    interfaces: [{ name: "eth0", addresses: ["192.168.56.2/24"] }],
    routes: [
      { to: "10.96.0.0/12", via: "192.168.56.101" },
      { to: "10.244.0.0/16", via: "192.168.56.101" },
      { to: "203.0.113.0/24", via: "192.168.56.101" },
    ],
  },
  // Its way to the nodes' own network leads through node1; their answers come straight back.
  {
    name: "crossed",
    interfaces: [{ name: "eth0", addresses: ["192.168.56.3/24"] }],
    routes: [
      { to: "10.0.2.0/24", via: "192.168.56.100" },
      { to: "10.244.0.0/16", via: "192.168.56.100" },
    ],
  },
  // On the nodes' own network, with a second address that the nodes look for on the other one, and one that is node2's.
  {
    name: "spoofer",
    interfaces: [
      { name: "lo", addresses: ["192.168.56.50/32", "10.244.1.1/32"] },
      { name: "eth0", addresses: ["10.0.2.77/24"] },
    ],
    routes: [
      { to: "192.168.56.0/24", via: "10.0.2.5" },
      { to: "10.96.0.0/12", via: "10.0.2.5" },
    ],
  },
  // A gateway that is listed and off.
  { name: "stranded", interfaces: [{ name: "eth0", addresses: ["192.168.56.5/24"] }], routes: [{ to: "default", via: "192.168.56.101" }] },
];

export type Variant = {
  readonly name: string;
  readonly topology?: (topology: Topology) => Topology;
  readonly lab?: Partial<LabOptions>;
};

/** The cluster of the fixture and the hand-made Services, under a changed topology. */
export function openVariant(variant: Variant): Session {
  const input = readInput({ files: [FIXTURE, SERVICES], topology: `${FIXTURE}/topology.yaml`, cwd: FIXTURE });
  const clientRoutes = [{ to: "203.0.113.0/24", via: "192.168.56.101" }];
  const hosts = [
    ...(input.topology.hosts ?? []).map((host) => ({ ...host, routes: [...(host.routes ?? []), ...clientRoutes] })),
    ...(HOSTS ?? []),
  ];
  const topology = (variant.topology ?? ((same: Topology) => same))({ ...input.topology, hosts });
  return sessionOf({ ...input, topology }, decideCluster(input.objects, topology));
}

/** One node's settings, changed. */
export const onNode =
  (name: string, change: (node: NonNullable<Topology["nodes"]>[number]) => NonNullable<Topology["nodes"]>[number]) =>
  (topology: Topology): Topology => ({
    ...topology,
    nodes: (topology.nodes ?? []).map((node) => (node.name === name ? change(node) : node)),
  });

export type KernelLab = { readonly session: Session; readonly lab: Lab; readonly observer: Observer; readonly close: () => Promise<void> };

/** Builds it. The name is the process's own, so that two test runs do not meet. */
export async function openLab(variant: Variant, session = openVariant(variant)): Promise<KernelLab> {
  const name = `t${process.pid}`;
  await down(name);
  const plan = planLab(session.world, netnsOfCluster(session.cluster), { lab: name, restoreText, fastNeighbours: true, ...variant.lab });
  const lab = await holdLab(plan);
  try {
    const observer = await startObserver(lab);
    return {
      session,
      lab,
      observer,
      close: async () => {
        await observer.stop();
        await lab.down();
      },
    };
  } catch (error) {
    await lab.down();
    throw error;
  }
}

/** Copies of a flow sent in one batch, and how often a batch is sent until every predicted course was taken. */
const COPIES = 10;
const ROUNDS = 12;

export type FlowResult = {
  readonly judged: readonly JudgedFlow[];
  readonly problems: readonly string[];
  readonly unseen: readonly number[];
};

/** Sends all flows, those with several courses again until each was taken, and judges everything. */
export async function judgeFlows(
  { session, observer }: KernelLab,
  flows: readonly Flow[],
): Promise<{ readonly results: readonly FlowResult[]; readonly rules: readonly Difference[] }> {
  const judged = flows.map((): JudgedFlow[] => []);
  const rules: Difference[] = [];
  const isOpen = (i: number): boolean => {
    const sent = judged[i] ?? [];
    return sent.length === 0 || (sent.every(({ judgement }) => judgement.differences.length === 0) && unseenOf(sent).length > 0);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const open = flows.flatMap((_, i) => (isOpen(i) ? Array.from({ length: round === 0 ? 1 : COPIES }, () => i) : []));
    if (open.length === 0) break;
    const batch = judgeBatch(session.world, await observer.observe(open.flatMap((i) => flows[i] ?? [])));
    batch.flows.forEach((one, k) => {
      judged[open[k] ?? -1]?.push(one);
    });
    rules.push(...batch.rules);
  }
  const results = judged.map(
    (sent): FlowResult => ({
      judged: sent,
      problems: sent.filter(({ judgement }) => judgement.differences.length > 0).map(describeDisagreement),
      unseen: unseenOf(sent),
    }),
  );
  return { results, rules };
}

/** Predicted courses that no copy took; those that cannot be told apart count as one. */
function unseenOf(sent: readonly JudgedFlow[]): number[] {
  const seen = new Set(sent.flatMap(({ judgement }) => judgement.courses));
  return (sent[0]?.predicted ?? []).flatMap(({ share }, i) => (seen.has(i) || fractionToNumber(share) === 0 ? [] : [i]));
}

/** Lines of a table of flows, without comments and blank lines. */
export const readTable = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("//"));

/** The names of a table. */
const SOURCES: Readonly<Record<string, string>> = {
  node1: "node/k8s-node1",
  node2: "node/k8s-node2",
  node3: "node/k8s-node3",
  nginx: "pod/default/nginx",
  tom1: "pod/default/tomcat6-5f7ccf4cb9-8jxz7",
  tom2: "pod/default/tomcat6-5f7ccf4cb9-gbtt5",
  tom3: "pod/default/tomcat6-5f7ccf4cb9-hvxs5",
  echo2: "pod/default/echo-udp-6b8c7f9d54-7wgzn",
  echo3: "pod/default/echo-udp-6b8c7f9d54-x2kqm",
  dns: "pod/kube-system/coredns-7f9c544f75-n4z6r",
};

/** One line: `client tcp 192.168.56.101:31160 delivered sees 10.244.1.1 t63 ttl=5 src=10.0.2.5 # what it shows`. */
export type Row = {
  readonly flow: Flow;
  readonly claim: string;
  readonly verdict?: string;
  readonly reason?: string;
  readonly sees?: string;
  readonly ttl?: number;
};

export function readRow(line: string): Row {
  const [words = "", claim = ""] = line.split("#").map((part) => part.trim());
  const [from = "", protocol, target = "", outcome = "", ...rest] = words.split(/\s+/);
  const cut = protocol === "icmp" ? target.length : target.lastIndexOf(":");
  const value = (key: string): string | undefined => rest.find((word) => word.startsWith(key))?.slice(key.length);
  const [verdict, reason] = outcome.split("/");
  const sees = rest.indexOf("sees");
  const src = value("src=");
  const ttl = value("ttl=");
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "icmp") throw new Error(`not a flow: ${line}`);
  return {
    flow: {
      from: SOURCES[from] ?? `host/${from}`,
      protocol,
      dst: target.slice(0, cut),
      dport: Number(target.slice(cut + 1) || 0),
      ...(src === undefined ? {} : { src }),
      ...(ttl === undefined ? {} : { ttl: Number(ttl) }),
    },
    claim: `${words.split(/\s+/).slice(0, 3).join(" ")}${ttl === undefined ? "" : ` ttl ${ttl}`}: ${claim}`,
    ...(verdict === undefined || verdict === "" || verdict === "-" ? {} : { verdict }),
    ...(reason === undefined ? {} : { reason }),
    ...(sees < 0 ? {} : { sees: rest[sees + 1] ?? "" }),
    ...(value("t") === undefined || ttl !== undefined ? {} : { ttl: Number(rest.find((word) => /^t\d+$/.test(word))?.slice(1)) }),
  };
}

export const fixtureText = (name: string): string => readFileSync(`${FIXTURE}/${name}`, "utf8");
