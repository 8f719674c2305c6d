/**
 * A name that nobody knows: the Service of that name in another namespace, the name that was nearly typed, a Service name
 * asked from outside, an Ingress host without an entry in the hosts file (Kubernetes DNS-based service discovery).
 */
import type { ClusterService } from "../../cluster/cluster.ts";
import { nearest } from "../../objects/near.ts";
import { addressFor, ask, askingMachine, withPort } from "../ask.ts";
import { at, type Case, type Change, change, type Finding, type Sentence, type Try } from "../case.ts";
import { editHost } from "../edits.ts";
import { listed, nameOf } from "../entrance.ts";
import { hostsOfIngresses } from "./ingress-hosts.ts";
import { whyEmpty } from "./no-endpoints.ts";
import { externalName } from "./no-entrance.ts";
import { waysIn } from "./ways-in.ts";

/** A name with dots is asked of outside servers too, where the model ends: only a slip of the keys is worth a word. */
export function nameOutside(failed: Case): Finding | undefined {
  const isUnresolved = failed.leg.hops.every((hop) => hop.packetIn.dport === 53) && failed.leg.name?.ip === undefined;
  if (isUnresolved && externalName(failed)) return externalName(failed);
  const isNear = nearest(failed.question.to.host.split(".")[1] ?? "", failed.cluster.namespaces, ({ name }) => name).length > 0;
  return isUnresolved && isNear && failed.trace.request.from.kind === "pod" ? fromPod(failed) : undefined;
}

export function nameNotFound(failed: Case): Finding | undefined {
  return failed.trace.request.from.kind === "pod" ? fromPod(failed) : fromMachine(failed);
}

/** What a Service is called from a namespace. */
const callService = (service: ClusterService, namespace: string): string =>
  service.namespace === namespace ? service.name : `${service.name}.${service.namespace}`;

/** What was asked, as a Service's name: `tomcat6`, `tomcat6.default`, `tomcat6.default.svc…` */
type Wanted = { readonly name: string; readonly namespace: string; readonly from: string };

function fromPod(failed: Case): Finding {
  const from = failed.trace.request.from.namespace ?? failed.question.namespace;
  const [name = "", namespace = from] = failed.question.to.host.split(".");
  const wanted: Wanted = { name, namespace, from };
  const { services } = failed.cluster;
  const exact = services.find((each) => each.name === name && each.namespace === namespace);
  if (exact) return spelledBadly(failed, exact, wanted);
  const namesakes = services.filter((each) => each.name === name);
  const misspelt = nearest(namespace, namesakes, (each) => each.namespace);
  const near = nearest(
    name,
    services.filter((each) => each.namespace === namespace),
    (each) => each.name,
  );
  const meant = [...new Set([...misspelt, ...namesakes, ...near])].slice(0, 2);
  return { because: [notThere(failed, wanted, meant[0])], changes: meant.map((service) => askFor(failed, service, from)) };
}

/** With the Service's own port where it lacks the one that was asked. */
const askFor = (failed: Case, service: ClusterService, from: string): Change => {
  const host = callService(service, from);
  const { port: asked, protocol } = failed.question.to;
  const open = service.ports.filter((each) => each.protocol.toLowerCase() === protocol);
  const [first] = open;
  const port = asked === undefined || first === undefined || open.some((each) => each.port === asked) ? asked : first.port;
  const to = port === undefined ? { host } : { host, port };
  return change(`ask ${port === asked ? host : withPort(host, port)}`, undefined, () => ask(failed, to));
};

function notThere({ place }: Case, { name, namespace, from }: Wanted, meant: ClusterService | undefined): Sentence {
  const head = `Namespace ${namespace} has no Service ${name}`;
  if (!meant) return { text: head };
  const where = at(place(meant.origin?.source, ["metadata", "name"]));
  if (meant.namespace === namespace) return { text: `${head}, but ${meant.name}`, ...where };
  return { text: `${head}; namespace ${meant.namespace} has, and from ${from} it is called ${callService(meant, from)}`, ...where };
}

/** The Service is there: its name went on wrongly, or it is headless and has nobody to name. */
function spelledBadly(failed: Case, service: ClusterService, { from }: Wanted): Finding {
  const [port] = service.ports;
  const empty = service.clusterIPs[0] === "None" && port ? whyEmpty(failed, { service, port, how: "cluster-ip" }) : undefined;
  if (empty) return empty;
  const full = `${service.name}.${service.namespace}.svc.${failed.cluster.clusterDomain}`;
  return { because: [{ text: `The full name of Service ${nameOf(service)} is ${full}` }], changes: [askFor(failed, service, from)] };
}

function fromMachine(failed: Case): Finding | undefined {
  const { host, port } = failed.question.to;
  const { cluster } = failed;
  const machine = askingMachine(failed);
  const [name = "", namespace = failed.question.namespace] = host.split(".");
  const service = cluster.services.find((each) => each.name === name && each.namespace === namespace);
  if (service) {
    const found = service.ports.find((each) => each.port === port) ?? service.ports[0];
    const text = `${name} is a Service's name: the cluster's DNS knows it, and only pods ask that`;
    return {
      because: [{ text, ...at(failed.place(service.origin?.source, ["metadata", "name"])) }],
      changes: waysIn(failed, service, found),
    };
  }
  const known = [
    ...(machine?.hostsFile ?? []).map((each) => each.name),
    ...[...cluster.nodes, ...cluster.hosts].flatMap((each) => [each.name, ...each.aliases]),
  ];
  const hosts = hostsOfIngresses(cluster);
  const near = [...new Set(nearest(host, [...known, ...hosts], (each) => each))].slice(0, 2);
  const isIngress = hosts.includes(host);
  const text = isIngress
    ? `${host} is the host of an Ingress, and nothing tells ${machine?.name ?? "the asker"} its address`
    : near.length > 0
      ? `Nobody is called ${host}, but there ${near.length === 1 ? "is" : "are"} ${listed(near)}`
      : `${machine?.name ?? "The asker"} asks no name server: it knows ${listed(known.slice(0, 6), 6)}`;
  return {
    because: [{ text }],
    changes: [
      ...(isIngress ? hostsEntry(failed, host) : []),
      ...near.filter((each) => each !== host).map((each) => change(`ask ${each}`, undefined, () => ask(failed, { host: each }))),
    ],
  };
}

/** The name in the asker's hosts file, for each node that answers it. */
function hostsEntry(failed: Case, host: string): Change[] {
  const machine = askingMachine(failed);
  if (machine?.kind !== "host") return [];
  const place = failed.place(machine.origin?.source, [...(machine.origin?.field ?? []), "hostsFile"]);
  const tries = failed.cluster.nodes.slice(0, 4).map((node): Try => {
    const ip = addressFor(machine, node);
    return {
      name: `${ip} (${node.name})`,
      edit: () => editHost(failed, machine.name, (each) => ({ ...each, hostsFile: { ...each.hostsFile, [host]: ip } })),
    };
  });
  return [{ text: (names) => `write ${host} into its hosts file: ${listed(names, 4, "or")}`, ...at(place), tries }];
}
