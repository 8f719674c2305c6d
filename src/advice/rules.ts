/** The rules of advice, one line a reason. A reason without a line has its general advice only (render/explain). */
import type { Reason } from "../linux/reason.ts";
import type { Rule } from "./case.ts";
import { bridgeNf } from "./rules/bridge-nf.ts";
import { dnsUnreachable } from "./rules/dns-unreachable.ts";
import { forwardingOff } from "./rules/forwarding-off.ts";
import { hairpinOff } from "./rules/hairpin-off.ts";
import { hostUnreachable } from "./rules/host-unreachable.ts";
import { ingressNoEndpoints } from "./rules/ingress-no-endpoints.ts";
import { ingressNoMatch } from "./rules/ingress-no-match.ts";
import { leftTopology } from "./rules/left-topology.ts";
import { nameNotFound, nameOutside } from "./rules/name-not-found.ts";
import { noEndpoints } from "./rules/no-endpoints.ts";
import { noLocalEndpoints } from "./rules/no-local-endpoints.ts";
import { noRoute } from "./rules/no-route.ts";
import { notListening } from "./rules/not-listening.ts";
import { redirected, tlsFailed } from "./rules/redirected.ts";
import { sourceRange } from "./rules/source-range.ts";

export const RULES: { readonly [reason in Reason]?: Rule } = {
  "no-endpoints": noEndpoints,
  "not-listening": notListening,
  "no-route": noRoute,
  "host-unreachable": hostUnreachable,
  "no-local-endpoints": noLocalEndpoints,
  "source-range-denied": sourceRange,
  "forwarding-off": forwardingOff,
  "hairpin-off": hairpinOff,
  "reply-not-translated": bridgeNf,
  "name-not-found": nameNotFound,
  "no-address": nameNotFound,
  "not-modelled": nameOutside,
  "dns-unreachable": dnsUnreachable,
  "ingress-no-match": ingressNoMatch,
  "ingress-no-endpoints": ingressNoEndpoints,
  redirected,
  "tls-failed": tlsFailed,
  "service-port-unknown": leftTopology,
  "unallocated-cluster-ip": leftTopology,
  "left-topology": leftTopology,
};
