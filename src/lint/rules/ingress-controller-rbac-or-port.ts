/** KT414: an ingress controller that no request can enter: no door to it, or a door that leads to a port it does not have. */

import { NGINX_IMAGE } from "../../cluster/ingress-controllers.ts";
import type { Service } from "../../objects/api.ts";
import { matchesLabels } from "../../objects/selector.ts";
import { namespaceOf } from "../ingress-parts.ts";
import { listed } from "../pod-groups.ts";
import { declaredPorts, makerRef, outermostMakers, type PlacedPort, type PodMaker, podField, titleOf } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT414: Rule = {
  code: "KT414",
  name: "ingress-controller-rbac-or-port",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "an ingress controller that requests cannot enter",
  why: "Its Service sends to a port on which the controller does not listen, so each connection ends in a RST; or nothing leads to it from outside at all. No request ever meets an Ingress rule.",
  bad: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: ic2}
spec: {selector: {matchLabels: {app: ic2}}, template: {metadata: {labels: {app: ic2}}, spec: {containers: [{name: controller, image: ingress-nginx/controller, ports: [{name: http, containerPort: 80}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: ic2}
spec: {type: NodePort, selector: {app: ic2}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Deployment
apiVersion: apps/v1
metadata: {name: ic2}
spec: {selector: {matchLabels: {app: ic2}}, template: {metadata: {labels: {app: ic2}}, spec: {containers: [{name: controller, image: ingress-nginx/controller, ports: [{name: http, containerPort: 80}]}]}}}
---
kind: Service
apiVersion: v1
metadata: {name: ic2}
spec: {type: NodePort, selector: {app: ic2}, ports: [{port: 80, targetPort: http}]}
`,
  },
  check: function* (subject) {
    const makers = outermostMakers(subject).filter(({ spec }) => (spec.containers ?? []).some(({ image = "" }) => NGINX_IMAGE.test(image)));
    const services = makers.length === 0 ? [] : subject.of("Service");
    for (const maker of makers) {
      const doors = services.filter((service) => leadsTo(service, maker));
      for (const service of doors) yield* wrongPorts(maker, service);
      if (!isOnNode(maker) && !doors.some(isFromOutside)) yield closed(maker, doors);
    }
  },
};

const leadsTo = (service: Service, maker: PodMaker): boolean => {
  const { selector = {} } = service.spec ?? {};
  return namespaceOf(service) === maker.namespace && Object.keys(selector).length > 0 && matchesLabels(selector, maker.labels);
};
const isFromOutside = ({ spec }: Service): boolean =>
  spec?.type === "NodePort" || spec?.type === "LoadBalancer" || (spec?.externalIPs ?? []).length > 0;
const isOnNode = (maker: PodMaker): boolean => maker.spec.hostNetwork === true || declaredPorts(maker).some(({ port }) => port.hostPort);

/** Ports of the Service that mean requests, and lead to none that the controller declares. */
function* wrongPorts(maker: PodMaker, service: Service) {
  const declared = declaredPorts(maker);
  if (declared.length === 0) return; // then nothing says where it listens
  for (const [i, { port, targetPort = port, protocol = "TCP" }] of (service.spec?.ports ?? []).entries()) {
    const isThere = declared.some(
      (each) => (each.port.protocol ?? "TCP") === protocol && (each.port.containerPort === targetPort || each.port.name === targetPort),
    );
    if (isThere || protocol !== "TCP" || !isFromOutside(service)) continue;
    yield {
      message: `Service ${nameOf(refOf(service))} sends port ${port} to ${targetPort} of the ingress controller ${titleOf(maker)}, which has ${listed(declared.map(portText))}`,
      at: { source: service.source, field: ["spec", "ports", i, "targetPort"] },
      label: "the controller does not listen there",
      related: [{ at: podField(maker, ...(declared[0]?.field ?? [])), label: "the controller's ports" }],
      help: `send to ${meantFor(port, declared)}`,
      about: [refOf(service), makerRef(maker)],
    };
  }
}

const portText = ({ port: { name, containerPort } }: PlacedPort): string =>
  name === undefined ? String(containerPort) : `${name} (${containerPort})`;

/** 443 is for https, anything else for http, as far as the controller has such ports. */
function meantFor(port: number, declared: readonly PlacedPort[]): string {
  const name = port === 443 || port === 8443 ? "https" : "http";
  const found =
    declared.find((each) => each.port.name === name) ?? declared.find((each) => each.port.containerPort === port) ?? declared[0];
  return found ? (found.port.name ?? String(found.port.containerPort)) : name;
}

function closed(maker: PodMaker, doors: readonly Service[]) {
  const [inside] = doors;
  return {
    message: `nothing leads from outside to the ingress controller ${titleOf(maker)}: it has neither hostNetwork nor a host port, and no Service of type NodePort or LoadBalancer selects it`,
    at: podField(maker, "spec"),
    label: inside ? `only Service ${nameOf(refOf(inside))}, inside the cluster` : "no Service selects it",
    help: "add a Service of type NodePort or LoadBalancer for its ports http and https",
    about: [makerRef(maker)],
    ...(inside ? { severity: "warning" as const } : {}), // something inside may hand requests to it
  };
}
