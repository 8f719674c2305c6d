/** What Services send to: the pods that their selectors pick, by what makes them, and the ports that those declare. */
import type { ClusterPod } from "../cluster/cluster.ts";
import { indexPods } from "../cluster/endpoints/selected-pods.ts";
import type { ApiProtocol, Service, ServicePort } from "../objects/api.ts";
import type { Mark } from "./finding.ts";
import { declaredPorts, makersBySelector, outermostMakers, type PlacedPort, type PodMaker, podField } from "./pod-makers.ts";
import { nameOf, refOf, type Subject } from "./subject.ts";

export type ServiceTarget = { readonly service: Service; readonly name: string; readonly makers: readonly PodMaker[] };

/** Services with a selector that picks pods that somebody makes. */
export function serviceTargets(subject: Subject): ServiceTarget[] {
  const makersOf = makersBySelector(outermostMakers(subject));
  return subject.of("Service").flatMap((service) => {
    if (service.spec?.type === "ExternalName") return [];
    const makers = makersOf(service.metadata.namespace ?? "default", service.spec?.selector);
    return makers.length === 0 ? [] : [{ service, name: `Service ${nameOf(refOf(service))}`, makers }];
  });
}

/** The pods of the decided cluster that a Service picks. */
export function podsOfService(subject: Subject): (service: Service) => readonly ClusterPod[] {
  const podsOf = indexPods(subject.cluster().pods);
  return ({ metadata, spec }) => podsOf(metadata.namespace ?? "default", spec?.selector ?? {});
}

export const protocolOf = ({ protocol }: { readonly protocol?: ApiProtocol }): ApiProtocol => protocol ?? "TCP";

/** The number or name that a port of the Service is translated to: its own number where none is written. */
export const targetOf = ({ port, targetPort }: ServicePort): number | string => targetPort || port;

/** Where the target is written: `port` counts for both. */
export const targetMark = (service: Service, index: number, { targetPort }: ServicePort): Mark => ({
  source: service.source,
  field: ["spec", "ports", index, targetPort ? "targetPort" : "port"],
});

/** A port's declaration in the template, or in the Pod. */
export const portMark = (maker: PodMaker, { field }: PlacedPort, ...more: string[]): Mark => podField(maker, ...field, ...more);

/** The declared ports of a pod that a target means, whatever their protocol. */
export const portsMeant = (maker: PodMaker, target: number | string): PlacedPort[] =>
  declaredPorts(maker).filter(({ port }) => (typeof target === "number" ? port.containerPort === target : port.name === target));

/** `8080/TCP (http)`: a declared port, for people. */
export const portText = ({ port }: PlacedPort): string =>
  `${port.containerPort}/${protocolOf(port)}${port.name === undefined ? "" : ` (${port.name})`}`;

/** Headless: clients connect to the pods themselves. */
export const isHeadless = ({ spec }: Service): boolean => (spec?.clusterIPs?.[0] ?? spec?.clusterIP) === "None";
