/** A Node's own ranges (pkg/apis/core/validation, ValidateNode). */
import { familyOf, parseCidr } from "../../net/address.ts";
import type { Node } from "../../objects/api.ts";
import { invalid, type Violation } from "../../objects/violation.ts";
import { cidrViolations } from "./addresses.ts";
import { each, faulty, type ValidationContext } from "./context.ts";
import { qualifiedNameFaults } from "./names.ts";

const MOST_CIDRS = 2;

/** Pod CIDRs: well formed, one a family at most. Taints: a key. */
export function nodeViolations({ spec = {} }: Node, { version }: ValidationContext): Violation[] {
  const { podCIDR, podCIDRs = podCIDR === undefined || podCIDR === "" ? [] : [podCIDR], taints } = spec;
  const path = ["spec", "podCIDRs"];
  const written = spec.podCIDRs?.length ? {} : { written: ["spec", "podCIDR"] };
  const families = new Set(podCIDRs.flatMap((text) => parseCidr(text) ?? []).map((cidr) => familyOf(cidr.ip)));
  return [
    ...each(podCIDRs, (text, i) => cidrViolations([...path, i], text, version).map((violation) => ({ ...violation, ...written }))),
    ...(podCIDRs.length > MOST_CIDRS
      ? [invalid(path, podCIDRs, "may specify no more than one CIDR for each IP family")]
      : podCIDRs.length === MOST_CIDRS && families.size === 1
        ? [invalid(path, podCIDRs, "may specify no more than one CIDR for each IP family")]
        : []),
    ...each(taints, ({ key }, i) => faulty(["spec", "taints", i, "key"], key, qualifiedNameFaults(key))),
  ];
}
