/** `kubectl get services` (printService). */
import { type Fields, fieldAt, labelsAt, listAt, textAt, textsAt } from "../../../objects/record.ts";
import { age, formatLabels, loadBalancerText, NONE, name, type Resource, textColumn, type View } from "../resource.ts";

export const services: Resource = {
  kind: "Service",
  plural: "services",
  singular: "service",
  short: ["svc"],
  group: "",
  namespaced: true,
  columns: [
    name,
    textColumn("TYPE", ["spec", "type"]),
    { header: "CLUSTER-IP", cell: (service) => textsAt(service, "spec", "clusterIPs")[0] ?? NONE },
    { header: "EXTERNAL-IP", cell: externalIP },
    { header: "PORT(S)", cell: (service) => listAt(service, "spec", "ports").map(portText).join(",") || NONE },
    age,
    { header: "SELECTOR", wide: true, cell: (service) => formatLabels(labelsAt(service, "spec", "selector")) },
  ],
};

function externalIP(service: Fields, view: View): string {
  const listed = textsAt(service, "spec", "externalIPs");
  switch (textAt(service, "spec", "type")) {
    case "ExternalName":
      return textAt(service, "spec", "externalName");
    case "LoadBalancer": {
      const balancer = loadBalancerText(service, view);
      return [...listed, ...(balancer === "" ? [] : [balancer])].join(",") || "<pending>";
    }
    default:
      return listed.join(",") || NONE;
  }
}

function portText(port: unknown): string {
  const [number, nodePort, protocol] = [fieldAt(port, "port"), fieldAt(port, "nodePort"), textAt(port, "protocol")];
  return typeof nodePort === "number" && nodePort > 0 ? `${number}:${nodePort}/${protocol}` : `${number}/${protocol}`;
}
