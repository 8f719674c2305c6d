/** KT118: an address where ExternalName wants a name: the answer is a CNAME (RFC 1035, 3.3.1). */
import { parseIp } from "../../net/address.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT118: Rule = {
  code: "KT118",
  name: "external-name-is-ip",
  severity: "error",
  needs: "object",
  fix: "suggest",
  title: "externalName is an address",
  why: "DNS answers with an alias for a name that looks like an address. The client asks for that name, no server knows it, and no packet is ever sent.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: db}
spec: {type: ExternalName, externalName: 192.168.56.200}
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
      const { type, externalName = "" } = service.spec ?? {};
      const ip = parseIp(externalName.replace(/\.$/, ""));
      if (type !== "ExternalName" || ip === undefined) continue;
      yield {
        message: `Service ${nameOf(refOf(service))}: externalName ${externalName} is an address, and is looked up as a name`,
        at: { source: service.source, field: ["spec", "externalName"] },
        label: "no DNS server knows this name",
        help: `write a Service without selector and an EndpointSlice that lists ${ip}, with the label kubernetes.io/service-name: ${service.metadata.name}`,
        about: [refOf(service)],
      };
    }
  },
};
