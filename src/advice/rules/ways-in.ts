/** Ways to reach a Service from where the question was asked: its node port, its outside addresses, an Ingress host, a pod to ask from. */
import type { ClusterService, ClusterServicePort } from "../../cluster/cluster.ts";
import { ask, askFromPod, callNode, nodesNear, withPort } from "../ask.ts";
import { type Case, type Change, change, type Try } from "../case.ts";
import { listed } from "../entrance.ts";
import { ingressRules } from "./ingress-hosts.ts";

/** In the order in which a reader would try them. */
export function waysIn(failed: Case, service: ClusterService, port: ClusterServicePort | undefined): Change[] {
  return [...byNodePort(failed, port), ...byOutsideAddress(failed, service, port), ...byIngress(failed, service), ...askFromPod(failed)];
}

function byNodePort(failed: Case, port: ClusterServicePort | undefined): Change[] {
  const nodePort = port?.nodePort;
  if (nodePort === undefined || failed.trace.request.from.kind !== "host") return [];
  const nodes = nodesNear(failed);
  const tries = nodes.slice(0, 3).map((node): Try => {
    const host = callNode(failed, node);
    return { name: withPort(host, nodePort), edit: () => ask(failed, { host, port: nodePort }) };
  });
  return [{ text: (names) => `ask its node port: ${listed(names, 3, "or")}`, tries }];
}

function byOutsideAddress(failed: Case, service: ClusterService, port: ClusterServicePort | undefined): Change[] {
  const addresses = [...service.externalIPs, ...service.loadBalancerIngress.flatMap(({ ip }) => ip ?? [])];
  if (port === undefined || failed.trace.request.from.kind !== "host") return [];
  return addresses
    .slice(0, 1)
    .map((host) =>
      change(`ask its outside address: ${withPort(host, port.port)}`, undefined, () => ask(failed, { host, port: port.port })),
    );
}

function byIngress(failed: Case, service: ClusterService): Change[] {
  if (failed.question.http === undefined || failed.trace.request.from.kind !== "host") return [];
  const rule = ingressRules(failed.cluster).find(
    ({ ingress, field, host }) =>
      host !== "" &&
      !host.startsWith("*") &&
      (ingress.metadata.namespace ?? "default") === service.namespace &&
      backendName(ingress, field) === service.name,
  );
  if (!rule) return [];
  const { host, path } = rule;
  return [
    change(`ask by its Ingress: http://${host}${path}`, failed.place(rule.ingress.source, rule.field.slice(0, 3)), () =>
      ask(failed, { host, port: 80 }, { scheme: "http", path, hostHeader: host }),
    ),
  ];
}

function backendName(
  ingress: Parameters<typeof ingressRules>[0]["ingresses"][number],
  field: readonly (string | number)[],
): string | undefined {
  const [, , r, , , p] = field;
  return typeof r === "number" && typeof p === "number" ? ingress.spec?.rules?.[r]?.http?.paths?.[p]?.backend.service?.name : undefined;
}
