/** The parts of Ingresses that rules look at: backends with their places, classes, and whose controller an Ingress is for. */
import { classOfIngress, NGINX_IMAGE } from "../cluster/ingress-controllers.ts";
import type { Ingress, IngressBackend, IngressPath, Service } from "../objects/api.ts";
import type { PathPart } from "../objects/source.ts";
import { outermostMakers } from "./pod-makers.ts";
import type { Subject } from "./subject.ts";

export const NGINX_CONTROLLER = "k8s.io/ingress-nginx";
export const NGINX_PREFIX = "nginx.ingress.kubernetes.io/";

export type PlacedBackend = {
  readonly ingress: Ingress;
  readonly service: NonNullable<IngressBackend["service"]>;
  readonly shown: string; // "a.test.com/", "the default backend"
  readonly host?: string; // absent: of the default backend, or of a rule for all hosts
  readonly path?: IngressPath;
  readonly field: readonly PathPart[]; // of the backend
};

/** Every backend that is a Service, the default one first. */
export function backendsOfIngress(ingress: Ingress): PlacedBackend[] {
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const first = defaultBackend?.service
    ? [{ ingress, service: defaultBackend.service, shown: "the default backend", field: ["spec", "defaultBackend"] }]
    : [];
  const others = rules.flatMap(({ host, http }, r) =>
    (http?.paths ?? []).flatMap((path, p): PlacedBackend[] => {
      const { service } = path.backend;
      if (!service) return [];
      const shown = `${host || "*"}${path.path ?? "/"}`;
      const field = ["spec", "rules", r, "http", "paths", p, "backend"];
      return [{ ingress, service, shown, path, field, ...(host ? { host } : {}) }];
    }),
  );
  return [...first, ...others];
}

export const namespaceOf = ({ metadata }: { readonly metadata: { readonly namespace?: string } }): string =>
  metadata.namespace ?? "default";

/** Services by `NAMESPACE/NAME`, refused ones too: that one is refused is another finding. */
export const servicesByName = (subject: Subject): ReadonlyMap<string, Service> =>
  new Map(subject.of("Service").map((service) => [`${namespaceOf(service)}/${service.metadata.name}`, service]));

/** The entry of the Service that a backend names, by number or by name. */
export const portOfBackend = (service: Service, { port }: PlacedBackend["service"]) =>
  (service.spec?.ports ?? []).find((each) => (port?.name === undefined ? each.port === port?.number : each.name === port.name));

const DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class";

export type Classes = {
  /** Name to what of the input knows it; its controller where an IngressClass says one. */
  readonly known: ReadonlyMap<string, { readonly controller?: string }>;
  readonly defaults: readonly string[];
  /** A controller is told to take Ingresses of no class, or takes them anyway. */
  readonly takesClassless: boolean;
};

/** The classes that IngressClasses, the topology and the controllers' own flags make. */
export function classesOf(subject: Subject): Classes {
  const known = new Map<string, { controller?: string }>();
  const classes = subject.of("IngressClass");
  for (const { metadata, spec } of classes) known.set(metadata.name, spec?.controller === undefined ? {} : { controller: spec.controller });
  const named = subject.topology.ingressControllers ?? [];
  for (const { class: name } of named) if (name !== undefined && !known.has(name)) known.set(name, {});
  const own = nginxControllers(subject);
  for (const { name } of own) if (name !== undefined && !known.has(name)) known.set(name, { controller: NGINX_CONTROLLER });
  return {
    known,
    defaults: classes.filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true").map(({ metadata }) => metadata.name),
    takesClassless:
      classes.length === 0 || named.some((each) => each.class === undefined) || own.some(({ takesClassless }) => takesClassless),
  };
}

type NginxController = { readonly name?: string; readonly takesClassless: boolean };

/** The annotation's value that each takes. Before 1.0 the field was not read, and what had no annotation was taken. */
const nginxControllers = (subject: Subject): NginxController[] =>
  outermostMakers(subject).flatMap(({ spec }) =>
    (spec.containers ?? []).flatMap(({ image = "", args = [], command = [] }): NginxController[] => {
      if (!NGINX_IMAGE.test(image)) return [];
      const flags = [...command, ...args];
      const named = flags.flatMap((flag) => /^--ingress-class=(\S+)$/.exec(flag)?.[1] ?? [])[0];
      const isModern = Number(/:v?(\d+)\./.exec(image)?.[1] ?? 0) >= 1;
      const name = named ?? (isModern ? "nginx" : undefined);
      return [
        { takesClassless: !isModern || flags.includes("--watch-ingress-without-class=true"), ...(name === undefined ? {} : { name }) },
      ];
    }),
  );

/** The class that an Ingress ends up with: DefaultIngressClass fills in the only default one. */
export const effectiveClass = (ingress: Ingress, { defaults }: Classes): string | undefined =>
  classOfIngress(ingress) ?? (defaults.length === 1 ? defaults[0] : undefined);

/** True where ingress-nginx is sure to read it: by its class's controller, by the class's usual name, or by its annotations. */
export function isForNginx(ingress: Ingress, classes: Classes): boolean {
  const name = effectiveClass(ingress, classes);
  const controller = name === undefined ? undefined : classes.known.get(name)?.controller;
  if (controller !== undefined) return controller === NGINX_CONTROLLER;
  if (name !== undefined) return /nginx/.test(name);
  return Object.keys(ingress.metadata.annotations ?? {}).some((key) => key.startsWith(NGINX_PREFIX));
}

/** `port 80`, `port http` */
export const portText = ({ port }: PlacedBackend["service"]): string => String(port?.name ?? port?.number ?? "?");
