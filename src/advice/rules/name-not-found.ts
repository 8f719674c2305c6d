/**
 * A name that nobody knows: the Service of that name in another namespace, the name that was nearly typed, a Service name
 * asked from outside, an Ingress host without an entry in the hosts file (Kubernetes DNS-based service discovery).
 */
import type { ClusterService } from "../../cluster/cluster.ts";
import { addressFor, ask, askingMachine } from "../ask.ts";
import { at, type Case, type Change, change, type Finding, type Sentence, type Try } from "../case.ts";
import { editHost } from "../edits.ts";
import { listed } from "../entrance.ts";
import { nearest } from "../near.ts";
import { hostsOfIngresses } from "./ingress-hosts.ts";
import { waysIn } from "./ways-in.ts";

export function nameNotFound(failed: Case): Finding | undefined {
  return failed.trace.request.from.kind === "pod" ? fromPod(failed) : fromMachine(failed);
}

/** What a Service is called from a namespace. */
const callService = (service: ClusterService, namespace: string): string =>
  service.namespace === namespace ? service.name : `${service.name}.${service.namespace}`;

function fromPod(failed: Case): Finding | undefined {
  const { host } = failed.question.to;
  const namespace = failed.trace.request.from.namespace ?? failed.question.namespace;
  const { services } = failed.cluster;
  const [name = "", asked = namespace] = host.split(".");
  const same = services.filter((each) => each.name === name && each.namespace !== asked);
  const near = nearest(
    name,
    services.filter((each) => each.namespace === asked),
    (each) => each.name,
  );
  const nearNamespace = nearest(
    asked,
    services.filter((each) => each.name === name),
    (each) => each.namespace,
  );
  const [other] = same;
  const because: Sentence[] = other
    ? [
        {
          text: `Service ${name} is in namespace ${other.namespace}; from namespace ${namespace} its name is ${callService(other, namespace)}`,
          ...at(failed.place(other.origin?.source, ["metadata", "namespace"])),
        },
      ]
    : near[0]
      ? [
          {
            text: `Namespace ${asked} has no Service ${name}, but ${listed(near.slice(0, 2).map((each) => each.name))}`,
            ...at(failed.place(near[0].origin?.source, ["metadata", "name"])),
          },
        ]
      : [{ text: `No namespace has a Service ${name}` }];
  const offered = [...new Set([...nearNamespace, ...same, ...near])].slice(0, 2);
  return {
    because,
    changes: offered.map((service) => {
      const called = callService(service, namespace);
      return change(`ask ${called}`, undefined, () => ask(failed, { host: called }));
    }),
  };
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
