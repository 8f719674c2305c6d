/** `kubectl get ingresses` and `get ingressclasses` (printIngress, printIngressClass). CLASS came with 1.18. */
import { type Fields, fieldAt, listAt, textAt } from "../../../objects/record.ts";
import { age, loadBalancerText, NONE, name, type Resource, textColumn } from "../resource.ts";

export const ingresses: Resource = {
  kind: "Ingress",
  plural: "ingresses",
  singular: "ingress",
  short: ["ing"],
  group: "networking.k8s.io",
  namespaced: true,
  columns: [
    name,
    { ...textColumn("CLASS", ["spec", "ingressClassName"]), since: { major: 1, minor: 18 } },
    { header: "HOSTS", cell: hostsOf },
    { header: "ADDRESS", cell: loadBalancerText },
    { header: "PORTS", cell: (ingress) => (listAt(ingress, "spec", "tls").length > 0 ? "80, 443" : "80") },
    age,
  ],
};

/** The first three hosts; rules without a host are for all (`*` when no rule has one). */
function hostsOf(ingress: Fields): string {
  const rules = listAt(ingress, "spec", "rules");
  const hosts = rules
    .slice(0, rules.length)
    .map((rule) => textAt(rule, "host"))
    .filter((host) => host !== "");
  if (hosts.length === 0) return "*";
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(",")} + ${rules.length - 3} more...` : hosts.join(",");
}

export const ingressClasses: Resource = {
  kind: "IngressClass",
  plural: "ingressclasses",
  singular: "ingressclass",
  short: [],
  group: "networking.k8s.io",
  namespaced: false,
  columns: [name, textColumn("CONTROLLER", ["spec", "controller"], ""), { header: "PARAMETERS", cell: parametersOf }, age],
};

function parametersOf(object: Fields): string {
  const parameters = fieldAt(object, "spec", "parameters");
  if (parameters === undefined) return NONE;
  const [group, kind, own] = [textAt(parameters, "apiGroup"), textAt(parameters, "kind"), textAt(parameters, "name")];
  return `${group === "" ? kind : `${kind}.${group}`}/${own}`;
}
