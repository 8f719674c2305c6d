/**
 * The tables of fixtures/datapath as data, and the reference cluster in the variants they name: each variant changes the
 * parsed topology, so the whole house is programmed anew from it.
 */
import { readFileSync } from "node:fs";
import { decideCluster } from "../../src/cluster/decide.ts";
import { type Session, sessionOf } from "../../src/ktrace.ts";
import type { Link } from "../../src/linux/netns.ts";
import { type Branch, createRun, explore, type Run } from "../../src/linux/run.ts";
import type { Seen } from "../../src/linux/step.ts";
import { readInput } from "../../src/manifests/input.ts";
import type { Packet, Port, Protocol } from "../../src/net/packet.ts";
import { invariant } from "../../src/objects/diagnostic.ts";
import type { Topology, TopologyHost, TopologyNode } from "../../src/objects/topology.ts";
import { type Connection, type ConnectionSpec, walkConnection } from "../../src/trace/connection.ts";

const DIRECTORY = "fixtures/datapath";
/** The client's own port in every walk: `cport` in the tables. */
export const CPORT = 49152;

type Variant = (topology: Topology) => Topology;

const nodes =
  (change: (node: TopologyNode) => TopologyNode, only?: string): Variant =>
  (topology) => ({
    ...topology,
    nodes: (topology.nodes ?? []).map((node) => (only === undefined || node.name === only ? change(node) : node)),
  });
const sysctl = (key: string, value: string, only?: string): Variant =>
  nodes((node) => ({ ...node, sysctls: { ...node.sysctls, [key]: value } }), only);
const clientRoute =
  (to: string, via: string): Variant =>
  (topology) => ({
    ...topology,
    hosts: (topology.hosts ?? []).map((host) =>
      host.name === "client" ? { ...host, routes: [...(host.routes ?? []), { to, via }] } : host,
    ),
  });
const host =
  (added: TopologyHost): Variant =>
  (topology) => ({ ...topology, hosts: [...(topology.hosts ?? []), added] });

const FORWARD_DROP = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

const VARIANTS: Readonly<Record<string, Variant>> = {
  "client-service-route": clientRoute("10.96.0.0/12", "192.168.56.101"),
  "client-pod-route": clientRoute("10.244.0.0/16", "192.168.56.101"),
  "client-outside-route": clientRoute("198.51.100.0/24", "192.168.56.101"),
  "client-node-route": clientRoute("10.0.2.0/24", "192.168.56.101"),
  "client-node1-route": clientRoute("10.0.2.0/24", "192.168.56.100"),
  "no-bridge-nf": sysctl("net.bridge.bridge-nf-call-iptables", "0"),
  "no-forward": sysctl("net.ipv4.ip_forward", "0", "k8s-node2"),
  "no-route-localnet": sysctl("net.ipv4.conf.all.route_localnet", "0"),
  "rp-filter-strict": sysctl("net.ipv4.conf.all.rp_filter", "1"),
  "rp-filter-loose": sysctl("net.ipv4.conf.all.rp_filter", "2"),
  "no-hairpin": (topology) => ({ ...topology, cni: { ...topology.cni, hairpinMode: false } }),
  "forward-drop": (topology) => ({
    ...topology,
    ruleFiles: Object.fromEntries((topology.nodes ?? []).map(({ name }) => [name, { file: `${name}.rules`, text: FORWARD_DROP }])),
  }),
  "dead-pod": (topology) => ({
    ...topology,
    pods: (topology.pods ?? []).map((pod) => (pod.ip === "10.244.1.11" ? { ...pod, dead: true } : pod)),
  }),
  // The gateway as a machine of the model: it answers for 192.0.2.53 and knows no other way out.
  router: host({
    name: "router",
    interfaces: [{ name: "eth0", addresses: ["10.0.2.2/24", "192.0.2.53/32"] }],
    listens: [{ port: 80, protocol: "TCP" }],
    sysctls: { "net.ipv4.ip_forward": "1" },
  }),
  spoofer: host({ name: "spoofer", interfaces: [{ name: "eth0", addresses: ["10.0.2.77/24", "192.168.56.9/32"] }] }),
};

const input = readInput({ files: [], cwd: DIRECTORY });
const sessions = new Map<string, Session>();

/** The cluster of fixtures/datapath in a variant: `-`, a name, or several names with spaces between. */
export function openVariant(names: string): Session {
  const known = sessions.get(names);
  if (known) return known;
  const topology = names
    .split(" ")
    .filter((name) => name !== "-")
    .reduce((changed, name) => {
      const variant = VARIANTS[name];
      invariant(variant, `there is a variant ${name}`);
      return variant(changed);
    }, input.topology);
  const session = sessionOf(input, decideCluster(input.objects, topology));
  sessions.set(names, session);
  return session;
}

const PODS: readonly (readonly [string, string])[] = [
  ["nginx", "pod/default/nginx"],
  ["tom1", "pod/default/tomcat6-5f7ccf4cb9-8jxz7"],
  ["tom2", "pod/default/tomcat6-5f7ccf4cb9-gbtt5"],
  ["tom3", "pod/default/tomcat6-5f7ccf4cb9-hvxs5"],
];
const shortNames = new Map<string, string>([
  ...PODS.map(([short, id]): [string, string] => [id, short]),
  ...["1", "2", "3"].map((n): [string, string] => [`node/k8s-node${n}`, `node${n}`]),
]);

/** "tom1" for the netns of the first tomcat6 pod, "node2", "client". */
export const shortName = (netns: string): string => shortNames.get(netns) ?? netns.replace(/^(host|pod\/[^/]+)\//, "");

/** The netns that a table calls by a short name. */
export function netnsCalled(short: string): string {
  const pod = PODS.find(([name]) => name === short);
  if (pod) return pod[1];
  return /^node\d$/.test(short) ? `node/k8s-${short}` : `host/${short}`;
}

export type Walked = Branch<{ readonly run: Run; readonly connection: Connection }>;

/** Every course of one connection, with what it left in the kernels. */
export function walkAll(session: Session, spec: Omit<ConnectionSpec, "sport">): Walked[] {
  return explore((choose) => {
    const run = createRun(session.world, choose);
    return { run, connection: walkConnection(run, { ...spec, sport: CPORT }) };
  });
}

/** `nginx from 10.0.2.5`, `10.96.0.60:80`, `tcp ttl=2`: the cells of a row that say what is sent. */
export function specOf(source: string, destination: string, protocol: string): Omit<ConnectionSpec, "sport"> {
  const [short = "", bind] = source.split(" from ");
  const [dst = "", port] = destination.split(":");
  const [name, ttl] = protocol.split(" ttl=");
  return {
    from: netnsCalled(short),
    dst,
    dport: Number(port),
    protocol: protocolNamed(name),
    ...(bind === undefined ? {} : { bind }),
    ...(ttl === undefined ? {} : { ttl: Number(ttl) }),
  };
}

function protocolNamed(name: string | undefined): Protocol {
  invariant(name === "tcp" || name === "udp", `${name} is a protocol of the tables`);
  return name;
}

/** Names the ports that masquerade drew by the order in which a flow's table first shows them. */
export function createPortNames(): (port: Port) => string {
  const drawn = new Map<Port, string>();
  return (port) => {
    if (port === CPORT) return "cport";
    if (typeof port === "number") return String(port);
    const name = drawn.get(port) ?? `port${drawn.size + 1}`;
    drawn.set(port, name);
    return name;
  };
}

/** A line of text with its drawn ports renamed in order of appearance, so that only which are equal counts. */
export function renamePorts(text: string): string {
  const drawn = new Map<string, string>();
  return text.replace(/\bmport\d+\b/g, (symbol) => {
    const name = drawn.get(symbol) ?? `port${drawn.size + 1}`;
    drawn.set(symbol, name);
    return name;
  });
}

/** One capture line in the form of hops.txt. */
export function captureLine(session: Session, netns: string, seen: Seen): string {
  const { packet, outer } = seen;
  const arrow = seen.direction === "in" ? "<" : ">";
  const around = outer ? ` {${outer.src}>${outer.dst}}` : "";
  return `${shortName(netns)} ${deviceName(session, netns, seen.dev)}${arrow} ${describe(packet)}${around}`;
}

function describe(packet: Packet): string {
  const { segment } = packet;
  if (segment.kind === "icmp-error") {
    return `${packet.src}>${packet.dst} t${packet.ttl} type=${segment.type}/${segment.code} quotes ${ends(segment.quoted)}`;
  }
  const flags: Readonly<Record<string, string>> = { syn: "S", "syn-ack": "SA", rst: "R", third: "A" };
  return `${ends(packet)} t${packet.ttl} ${flags[segment.kind] ?? segment.kind}`;
}

const ends = ({ src, sport, dst, dport }: Pick<Packet, "src" | "sport" | "dst" | "dport">): string =>
  `${src}:${portText(sport)}>${dst}:${portText(dport)}`;
export const portText = (port: Port): string => (port === CPORT ? "cport" : String(port));

/** A veth of a node is called after the pod at its other end. */
function deviceName(session: Session, netns: string, dev: string): string {
  const link: Link | undefined = session.world.netns(netns)?.links.find(({ name }) => name === dev);
  return link?.type.kind === "veth" && netns.startsWith("node/") ? `veth${shortName(link.type.peer.netns)}` : dev;
}

export type HopTable = {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly outcome: string;
  readonly sees: string | undefined;
  readonly variant: string;
  readonly forward: readonly string[];
  readonly reply: readonly string[]; // or the ICMP error on its way back
  readonly conntrack: readonly string[];
};

/** The blocks of hops.txt. */
export function readHopTables(): HopTable[] {
  const text = readFileSync(`${DIRECTORY}/hops.txt`, "utf8");
  return text
    .split(/^### /m)
    .slice(1)
    .map((block) => {
      const [title = "", ...lines] = block.split("\n");
      const parts = /^(\S+): (\S+) -> (\S+) : ([^,]+)(?:, server sees (\S+))?$/.exec(title);
      invariant(parts, `"${title}" is the title of a hop table`);
      const [, name = "", source = "", destination = "", outcome = "", sees] = parts;
      const tagged = (tag: string): string[] =>
        lines.filter((line) => line.startsWith(`${tag} `)).map((line) => line.slice(tag.length).trim());
      const icmp = tagged("icmp");
      const wires = icmp.map((line) => line.split(" ")[0]);
      return {
        name,
        source,
        destination,
        outcome,
        sees,
        variant: tagged("with")[0] ?? "-",
        forward: tagged("forward"),
        reply: wires.length > 0 ? icmp : tagged("reply"),
        conntrack: tagged("ct"),
      };
    });
}

/** The rows of a table file: cells without their spaces. */
export function readRows(file: string): string[][] {
  return readFileSync(`${DIRECTORY}/${file}`, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
}
