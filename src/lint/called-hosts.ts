/** Hosts that pods are told to call: URLs, `host:port` and cluster names in the environment and the arguments of their containers. */
import type { Service } from "../objects/api.ts";
import { nearest } from "../objects/near.ts";
import type { PodMaker } from "../objects/pod-maker.ts";
import type { Edit, Mark } from "./finding.ts";
import { outermostMakers, podField } from "./pod-makers.ts";
import type { Subject } from "./subject.ts";

export type CalledHost = {
  readonly maker: PodMaker;
  readonly host: string; // lower case, without a last dot
  readonly port?: number; // as written
  readonly scheme?: string;
  readonly text: string; // the whole value
  readonly start: number; // of the host in it
  readonly at: Mark;
};

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*";
const URL_FORM = new RegExp(`\\b([a-z][a-z0-9+.-]*)://(?:[^\\s/@"']*@)?(${NAME})\\.?(?::(\\d{1,5}))?(?=[/?#\\s"',;]|$)`, "g");
/** `redis:6379`, alone or after `=` or a comma. */
const HOST_PORT = new RegExp(`(?<=^|[=,\\s])(${NAME})\\.?:(\\d{1,5})(?=[,\\s/]|$)`, "g");
/** A name of the cluster's own zone needs no more to be known. */
const CLUSTER_NAME = new RegExp(`(?<=^|[=,\\s])(${NAME}\\.svc(?:\\.${NAME})?)\\.?(?=[,\\s/]|$)`, "g");

/** In the order of the input; a host twice in one value is one. */
export function calledHosts(subject: Subject): CalledHost[] {
  return outermostMakers(subject).flatMap((maker) =>
    [...(maker.spec.containers ?? []).map((each, i) => ({ each, field: ["spec", "containers", i] }))].flatMap(({ each, field }) => [
      ...(each.env ?? []).flatMap(({ value }, i) => hostsIn(maker, value, podField(maker, ...field, "env", i, "value"))),
      ...(each.args ?? []).flatMap((text, i) => hostsIn(maker, text, podField(maker, ...field, "args", i))),
      ...(each.command ?? []).flatMap((text, i) => hostsIn(maker, text, podField(maker, ...field, "command", i))),
    ]),
  );
}

function hostsIn(maker: PodMaker, text: unknown, at: Mark): CalledHost[] {
  if (typeof text !== "string" || text.length > LONGEST || /\$\(|\$\{|\{\{/.test(text)) return [];
  const base = { maker, text, at };
  const found = [
    ...[...text.matchAll(URL_FORM)].map(([all, scheme = "", host = "", port], i) => ({ all, scheme, host, port, i })),
    ...[...text.matchAll(HOST_PORT)].map(([all, host = "", port], i) => ({ all, scheme: undefined, host, port, i })),
    ...[...text.matchAll(CLUSTER_NAME)].map(([all, host = ""], i) => ({ all, scheme: undefined, host, port: undefined, i })),
  ];
  const known = new Set<string>();
  return found.flatMap(({ all, scheme, host, port }) => {
    const number = port === undefined ? undefined : Number(port);
    if (known.has(host) || !/[A-Za-z]/.test(host) || host === "localhost" || (number !== undefined && (number < 1 || number > 65535)))
      return [];
    known.add(host);
    const start = text.indexOf(host, text.indexOf(all));
    return [{ ...base, host: host.toLowerCase(), start, ...(scheme ? { scheme } : {}), ...(number === undefined ? {} : { port: number }) }];
  });
}

const LONGEST = 4096;

/** The value with another host in its place. */
export const withHost = ({ text, start, host, at }: CalledHost, right: string): Edit => ({
  kind: "value",
  at,
  text: JSON.stringify(text.slice(0, start) + right + text.slice(start + host.length)),
});

export type NameGround = {
  readonly services: readonly Service[];
  readonly namespaces: ReadonlySet<string>;
  readonly domain: string;
};

export const nameGround = (subject: Subject): NameGround => ({
  services: subject.of("Service"),
  namespaces: new Set(["default", "kube-system", ...subject.objects.flatMap(({ metadata }) => metadata.namespace ?? [])]),
  domain: (subject.topology.kubernetes?.clusterDomain ?? "cluster.local").toLowerCase(),
});

/** What a host is in the cluster's DNS (the Kubernetes DNS specification 1.1), asked from a namespace by the usual search list. */
export type Meaning =
  | { readonly kind: "service"; readonly service: Service }
  | { readonly kind: "mistaken"; readonly service: Service; readonly right: string; readonly why: string }
  | { readonly kind: "foreign" }; // of another world, or of a part of the cluster that is not in the input

const FOREIGN: Meaning = { kind: "foreign" };
const namespaceOf = ({ metadata }: Service): string => metadata.namespace ?? "default";

export function meaningOf(host: string, from: string, ground: NameGround): Meaning {
  const { services, namespaces, domain } = ground;
  const inZone = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : undefined;
  const parts = (inZone ?? host).split(".");
  const isSvc = parts.at(-1) === "svc";
  const [name = "", namespace, ...more] = isSvc ? parts.slice(0, -1) : parts;
  if (more.length > 0) return FOREIGN; // a pod of a headless Service, or a name outside
  const target = namespace ?? from;
  const own = services.find((each) => each.metadata.name === name && namespaceOf(each) === target);
  const full = (service: Service): string => {
    const at = namespaceOf(service);
    if (inZone !== undefined) return `${service.metadata.name}.${at}.svc.${domain}`;
    if (isSvc) return `${service.metadata.name}.${at}.svc`;
    return at === from && namespace === undefined ? service.metadata.name : `${service.metadata.name}.${at}`;
  };
  if (own) {
    if (inZone === undefined || (isSvc && namespace !== undefined))
      return isSvc && namespace === undefined ? mistaken(own, full(own), "namespace") : { kind: "service", service: own };
    return mistaken(own, full(own), isSvc ? `a namespace is missing before svc.${domain}` : `.svc is missing before ${domain}`);
  }
  if (namespace !== undefined && !namespaces.has(namespace)) {
    const meant = nearest(namespace, [...namespaces], (each) => each).flatMap((each) =>
      services.filter((service) => service.metadata.name === name && namespaceOf(service) === each),
    )[0];
    return meant ? mistaken(meant, full(meant), `there is no namespace ${namespace}`) : FOREIGN;
  }
  const elsewhere = services.filter((each) => each.metadata.name === name);
  const [first] = elsewhere;
  if (first && elsewhere.length === 1) return mistaken(first, full(first), `Service ${name} is in ${namespaceOf(first)}, not in ${target}`);
  const near = nearest(
    name,
    services.filter((each) => namespaceOf(each) === target),
    ({ metadata }) => metadata.name,
  )[0];
  return near && name.length > 2 ? mistaken(near, full(near), `${target} has no Service ${name}`) : FOREIGN;
}

const mistaken = (service: Service, right: string, why: string): Meaning => ({ kind: "mistaken", service, right, why });
