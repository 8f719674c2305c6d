/** KT103: a named targetPort that no selected pod has (endpointslice's getEndpointPorts, FindPort: name and protocol). */
import type { ServicePort } from "../../objects/api.ts";
import { nearest } from "../../objects/near.ts";
import type { Finding } from "../finding.ts";
import { declaredPorts } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import { portMark, portsMeant, portText, protocolOf, type ServiceTarget, serviceTargets, targetMark } from "../service-targets.ts";
import { refOf } from "../subject.ts";

export const KT103: Rule = {
  code: "KT103",
  name: "service-target-port-name-missing",
  severity: "error",
  needs: "graph",
  fix: "suggest",
  title: "a named targetPort that no selected pod has",
  why: "The endpoints are built without that port, so the Service's port has none: kube-proxy rejects its packets, and the client sees `connection refused`.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: web}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`,
  },
  check: function* (subject) {
    for (const target of serviceTargets(subject))
      for (const [i, port] of (target.service.spec?.ports ?? []).entries()) {
        const { targetPort } = port;
        if (typeof targetPort !== "string" || /^\d*$/.test(targetPort)) continue; // digits: KT106
        if (!target.makers.some((maker) => portsMeant(maker, targetPort).length > 0)) yield finding(target, i, port, targetPort);
      }
  },
};

function finding({ service, name, makers }: ServiceTarget, index: number, port: ServicePort, wanted: string): Finding {
  const declared = makers.flatMap((maker) =>
    declaredPorts(maker)
      .filter(({ port: each }) => protocolOf(each) === protocolOf(port))
      .map((placed) => ({ maker, placed })),
  );
  const named = declared.flatMap(({ maker, placed }) => (placed.port.name ? [{ maker, placed, name: placed.port.name }] : []));
  const names = [...new Set(named.map((each) => each.name))];
  const near = nearest(wanted, names, (each) => each)[0] ?? (names.length === 1 ? names[0] : undefined);
  const meant = named.find((each) => each.name === near) ?? declared[0];
  const at = targetMark(service, index, port);
  return {
    message: `${name} port ${port.port}: targetPort ${JSON.stringify(wanted)} names no port of the pods of ${makers.map(({ title }) => title).join(", ")}`,
    at,
    label: near === undefined ? "no container port has this name" : `did you mean ${near}?`,
    about: [refOf(service)],
    help: near === undefined ? `name the container port: \`name: ${wanted}\`, or write its number here` : `write \`targetPort: ${near}\``,
    ...(meant && {
      related: [
        {
          at: portMark(meant.maker, meant.placed, meant.placed.port.name ? "name" : "containerPort"),
          label: `${meant.maker.title} has ${portText(meant.placed)}`,
        },
      ],
    }),
    ...(near === undefined ? {} : { edits: [{ kind: "value", at, text: near }] }),
  };
}
