/** KT105: a target number at which nothing in the selected pods listens, as far as they and the topology say. */

import type { ClusterPod } from "../../cluster/cluster.ts";
import type { ServicePort } from "../../objects/api.ts";
import type { Edit, Finding } from "../finding.ts";
import { declaredPorts } from "../pod-makers.ts";
import type { Rule } from "../rule.ts";
import {
  isHeadless,
  podsOfService,
  portMark,
  portsMeant,
  portText,
  protocolOf,
  type ServiceTarget,
  serviceTargets,
  targetMark,
  targetOf,
} from "../service-targets.ts";
import { refOf } from "../subject.ts";

export const KT105: Rule = {
  code: "KT105",
  name: "service-target-port-not-listening",
  severity: "warning",
  needs: "graph",
  fix: "suggest",
  title: "a target port that none of the selected pods declares, though they declare others",
  why: "The packet is translated and arrives, and the pod's kernel answers with RST: a `connection refused` that looks like the application's fault. Declared ports are documentation only, so this is a warning unless the topology says what listens.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  mutedBy: ["KT006"], // target-port instead of targetPort
  check: function* (subject) {
    const suspects = serviceTargets(subject).flatMap((target) =>
      isHeadless(target.service) || !target.makers.every((maker) => declaredPorts(maker).length > 0)
        ? []
        : (target.service.spec?.ports ?? []).flatMap((port, index) => {
            const number = targetOf(port);
            const isDeclared = typeof number !== "number" || target.makers.some((maker) => portsMeant(maker, number).length > 0);
            return isDeclared ? [] : [{ target, port, index, number }];
          }),
    );
    if (suspects.length === 0) return;
    const podsOf = podsOfService(subject);
    for (const { target, port, index, number } of suspects) {
      const pods = podsOf(target.service);
      if (!pods.some((pod) => listensAt(pod, number))) yield finding(target, port, index, number, pods.length > 0 && pods.every(isStated));
    }
  },
};

/** A probe's port counts too; not what only the Services suggest. */
const listensAt = ({ listens }: ClusterPod, number: number): boolean => listens.some(({ port, assumed }) => port === number && !assumed);
/** The topology says all that it listens on: only that has no place in a manifest. */
const isStated = ({ listens }: ClusterPod): boolean =>
  listens.length > 0 && listens.every(({ origin, assumed }) => origin === undefined && !assumed);

function finding({ service, name, makers }: ServiceTarget, port: ServicePort, index: number, number: number, isCertain: boolean): Finding {
  const [maker] = makers;
  const declared = maker === undefined ? [] : declaredPorts(maker).filter((each) => protocolOf(each.port) === protocolOf(port));
  const meant = declared.length === 1 ? declared[0] : declared.find((each) => each.port.name !== undefined && each.port.name === port.name);
  const at = targetMark(service, index, port);
  const where = { source: service.source, field: ["spec", "ports", index] };
  const edit = (text: string): Edit =>
    port.targetPort ? { kind: "value", at, text } : { kind: "insert", at: where, text: `targetPort: ${text}` };
  return {
    message: `${name} port ${port.port}: the pods of ${makers.map(({ title }) => title).join(", ")} declare ${declared.map(portText).join(", ") || "no port of that protocol"}, not ${number}`,
    at,
    label: port.targetPort ? `sent to pod port ${number}` : `without targetPort it is sent to pod port ${number}`,
    about: [refOf(service)],
    ...(maker &&
      declared[0] && {
        related: [
          {
            at: portMark(maker, meant ?? declared[0], "containerPort"),
            label: `${maker.title} declares ${portText(meant ?? declared[0])}`,
          },
        ],
      }),
    help: meant ? `write \`targetPort: ${meant.port.containerPort}\`` : "write the number or the name of the port at which the pods listen",
    ...(meant ? { edits: [edit(String(meant.port.containerPort))] } : {}),
    ...(isCertain ? { severity: "error" } : {}),
  };
}
