/** KT111: a cluster address from no range of the cluster (ipallocator: "the provided IP is not in the valid range"). */

import { isAllocatable } from "../../cluster/services/service-allocators.ts";
import { formatCidr, parseIp } from "../../net/address.ts";
import { decidedFaults } from "../refusal-findings.ts";
import type { Rule } from "../rule.ts";
import { nameOf, refOf } from "../subject.ts";

export const KT111: Rule = {
  code: "KT111",
  name: "service-cluster-ip-outside-cidr",
  severity: "error",
  needs: "graph",
  fix: "no",
  title: "a cluster address outside the service CIDRs",
  why: "The API server hands out addresses of its own ranges only and refuses the Service. Nothing has the address then, and packets to it leave the cluster.",
  bad: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: 10.244.9.9, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  good: {
    manifests: `kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: 10.96.9.9, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  },
  check: function* (subject) {
    if (!subject.of("Service").some(({ spec }) => spec?.clusterIP || spec?.clusterIPs)) return;
    const { serviceCIDRs, diagnostics } = subject.cluster();
    const ranges = serviceCIDRs.map(formatCidr).join(", ");
    const isStated = subject.topology.kubernetes?.serviceCIDRs !== undefined;
    for (const { object, field } of decidedFaults(diagnostics, subject.objects, "KT111")) {
      if (object.kind !== "Service" || (object.metadata.uid !== undefined && !isStated)) continue; // a live one got its address
      const { clusterIP = "", clusterIPs = [] } = object.spec ?? {};
      const outside = [...new Set([clusterIP, ...clusterIPs])].filter((text) => {
        const ip = parseIp(text);
        return ip !== undefined && !serviceCIDRs.some((cidr) => isAllocatable(cidr, ip));
      });
      yield {
        message: `Service ${nameOf(refOf(object))} asks for ${outside.join(" and ")}, which the cluster cannot give: its Services have addresses of ${ranges}`,
        at: { source: object.source, field },
        label: isStated ? "outside the service CIDRs" : `outside ${ranges}, which is assumed`,
        help: isStated
          ? "leave it out, and a free one is allocated"
          : "say the cluster's own ranges in spec.kubernetes.serviceCIDRs of the topology",
        about: [refOf(object)],
        ...(isStated ? {} : { severity: "warning" as const }),
      };
    }
  },
};
