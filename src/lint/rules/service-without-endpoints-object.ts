/** KT121: a Service without selector, and nobody who lists endpoints for it under its name and its ports' names. */
import { SERVICE_NAME } from "../../cluster/endpoints/slice-object.ts";
import type { EndpointSlice, Endpoints, Service } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { Finding, Mark, Related } from "../finding.ts";
import type { Rule } from "../rule.ts";
import { nameOf, objectName, refOf, type Subject } from "../subject.ts";

export const KT121: Rule = {
  code: "KT121",
  name: "service-without-endpoints-object",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "a Service without selector, and without Endpoints or EndpointSlice",
  why: "No controller makes endpoints for it, so it never has any, and kube-proxy rejects every packet. A slice belongs to a Service by its label, and its ports to the Service's by their names: a slip in either counts as none.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: db}
spec: {ports: [{name: pg, port: 5432}]}
---
kind: EndpointSlice
apiVersion: discovery.k8s.io/v1
metadata: {name: db-1}
addressType: IPv4
ports: [{name: pg, port: 5432, protocol: TCP}]
endpoints: [{addresses: [192.168.56.200]}]
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: db}
spec: {ports: [{name: pg, port: 5432}]}
---
kind: EndpointSlice
apiVersion: discovery.k8s.io/v1
metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: pg, port: 5432, protocol: TCP}]
endpoints: [{addresses: [192.168.56.200]}]
`,
  },
  check: function* (subject) {
    for (const service of subject.of("Service")) {
      const { spec, metadata } = service;
      const isManual = spec?.type !== "ExternalName" && Object.keys(spec?.selector ?? {}).length === 0;
      if (!isManual || nameOf(refOf(service)) === "default/kubernetes") continue;
      const lists = listsOf(subject, service);
      if (lists.length > 0) yield* unnamedPorts(service, lists);
      else if (metadata.uid === undefined || subject.of("Endpoints").length + subject.of("EndpointSlice").length > 0)
        yield missing(subject, service);
    }
  },
};

type PortList = { readonly object: Endpoints | EndpointSlice; readonly ports: readonly { readonly name: string; readonly at: Mark }[] };

function listsOf(subject: Subject, { metadata: { namespace, name } }: Service): PortList[] {
  const slices = subject
    .of("EndpointSlice")
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[SERVICE_NAME] === name);
  const endpoints = subject.of("Endpoints").filter(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  return [
    ...slices.map((object) => ({ object, ports: portsAt(object, object.ports, ["ports"]) })),
    ...endpoints.map((object) => ({
      object,
      ports: (object.subsets ?? []).flatMap(({ ports }, i) => portsAt(object, ports, ["subsets", i, "ports"])),
    })),
  ];
}

const portsAt = ({ source }: Endpoints | EndpointSlice, ports: readonly { readonly name?: string }[] | undefined, path: Mark["field"]) =>
  (ports ?? []).map(({ name = "" }, i) => ({ name, at: { source, field: [...path, i, "name"] } }));

/** A Service's port whose name is in none of the lists. */
function* unnamedPorts(service: Service, lists: readonly PortList[]): Iterable<Finding> {
  const listed = lists.flatMap(({ ports }) => ports);
  if (listed.length === 0) return;
  for (const [i, { name = "", port }] of (service.spec?.ports ?? []).entries()) {
    if (listed.some((each) => each.name === name)) continue;
    const shown = (each: string): string => (each === "" ? "a port without name" : each);
    const others = [...new Set(listed.map((each) => each.name))];
    const meant = nearest(name, others, (each) => each)[0] ?? (others.length === 1 ? others[0] : undefined);
    const theirs = listed.find((each) => each.name === meant) ?? listed[0];
    yield {
      message: `Service ${nameOf(refOf(service))} port ${port} ${name === "" ? "has no name" : `is named ${name}`}, but its endpoints have ${others.map(shown).join(", ")}`,
      at: { source: service.source, field: ["spec", "ports", i, name === "" ? "port" : "name"] },
      label: "no endpoint of that name, so none at all",
      ...(theirs ? { related: [{ at: theirs.at, label: shown(theirs.name) }] } : {}),
      help: "give both the same name; a single port may go without one in both",
      about: [refOf(service), ...lists.map(({ object }) => refOf(object))],
    };
  }
}

function missing(subject: Subject, service: Service): Finding {
  const { namespace = "default", name } = service.metadata;
  const strays = [...subject.of("EndpointSlice"), ...subject.of("Endpoints")].filter(
    ({ kind, metadata }) =>
      metadata.namespace === namespace && (kind === "Endpoints" || !Object.hasOwn(metadata.labels ?? {}, SERVICE_NAME)),
  );
  const near = strays.find(({ metadata }) => metadata.name.startsWith(name)) ?? nearest(name, strays, ({ metadata }) => metadata.name)[0];
  const related: Related[] = near
    ? [
        {
          at: { source: near.source, field: ["metadata"] },
          label: near.kind === "Endpoints" ? `${objectName(near)} has another name` : `${objectName(near)} lacks the label ${SERVICE_NAME}`,
        },
      ]
    : [];
  return {
    message: `Service ${nameOf(refOf(service))} has no selector, and no Endpoints or EndpointSlice lists anything for it`,
    at: { source: service.source, field: ["spec"] },
    label: "it never has an endpoint",
    related,
    help:
      near?.kind === "EndpointSlice"
        ? `label ${near.metadata.name} with \`${SERVICE_NAME}: ${name}\``
        : `add a selector, or an EndpointSlice with the label \`${SERVICE_NAME}: ${name}\``,
    about: [refOf(service)],
  };
}
