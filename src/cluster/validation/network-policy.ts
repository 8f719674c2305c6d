/** NetworkPolicies by themselves: pkg/apis/networking/validation (ValidateNetworkPolicySpec). */
import { parseCidr } from "../../net/address.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../objects/api.ts";
import { forbidden, invalid, required, type Violation } from "../../objects/violation.ts";
import { cidrViolations, isInside } from "./addresses.ts";
import { each, faulty, type Path, type ValidationContext } from "./context.ts";
import { selectorViolations } from "./metadata.ts";
import { portFaults } from "./names.ts";
import { portNumberOrName } from "./service.ts";

const MOST_TYPES = 2;

/** Selectors, ports and peers of all rules of both directions. */
export function networkPolicyViolations({ spec = {} }: NetworkPolicy, context: ValidationContext): Violation[] {
  const { podSelector, ingress, egress, policyTypes = [] } = spec;
  return [
    ...selectorViolations(podSelector, ["spec", "podSelector"]),
    ...each(ingress, (rule, i) => ruleViolations(rule.ports, rule.from, ["spec", "ingress", i], "from", context)),
    ...each(egress, (rule, i) => ruleViolations(rule.ports, rule.to, ["spec", "egress", i], "to", context)),
    ...(policyTypes.length > MOST_TYPES
      ? [invalid(["spec", "policyTypes"], policyTypes, "may not specify more than two policyTypes", { help: "remove what stands twice" })]
      : []),
  ];
}

const ruleViolations = (
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  at: Path,
  side: "from" | "to",
  context: ValidationContext,
): Violation[] => [
  ...each(ports, (port, i) => portViolations(port, [...at, "ports", i])),
  ...each(peers, (peer, i) => peerViolations(peer, [...at, side, i], context)),
];

function portViolations({ port, endPort }: NetworkPolicyPort, at: Path): Violation[] {
  const end = [...at, "endPort"];
  const found = port === undefined ? [] : portNumberOrName([...at, "port"], port);
  if (endPort === undefined) return found;
  if (port === undefined)
    return [invalid(end, endPort, "may not be specified when `port` is not specified", { help: "add port, the first of the range" })];
  if (typeof port === "string")
    return [
      ...found,
      invalid(end, endPort, "may not be specified when `port` is non-numeric", { help: "write port as a number, without quotes" }),
    ];
  return [
    ...found,
    ...(endPort < port
      ? [invalid(end, endPort, "must be greater than or equal to `port`", { help: `write ${port} or more, the last port of the range` })]
      : []),
    ...faulty(end, endPort, portFaults(endPort)),
  ];
}

function peerViolations({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, at: Path, context: ValidationContext): Violation[] {
  const found = [
    ...(podSelector ? selectorViolations(podSelector, [...at, "podSelector"]) : []),
    ...(namespaceSelector ? selectorViolations(namespaceSelector, [...at, "namespaceSelector"]) : []),
    ...(ipBlock ? blockViolations(ipBlock, [...at, "ipBlock"], context) : []),
  ];
  if (!podSelector && !namespaceSelector && !ipBlock)
    return [required(at, "must specify a peer", { help: "add podSelector, namespaceSelector or ipBlock; {} below one selects all" })];
  if (ipBlock && (podSelector || namespaceSelector))
    return [
      ...found,
      forbidden(at, "may not specify both ipBlock and another peer", { help: "make it two peers: begin the second with `- `" }),
    ];
  return found;
}

function blockViolations(
  { cidr, except }: NonNullable<NetworkPolicyPeer["ipBlock"]>,
  at: Path,
  { version }: ValidationContext,
): Violation[] {
  if (cidr === "") return [required([...at, "cidr"])];
  const outer = parseCidr(cidr);
  return [
    ...cidrViolations([...at, "cidr"], cidr, version),
    ...each(except, (text, i) => {
      const path = [...at, "except", i];
      const inner = parseCidr(text);
      const isOutside = outer !== undefined && inner !== undefined && !isInside(inner, outer);
      return [
        ...cidrViolations(path, text, version),
        ...(isOutside
          ? [
              invalid(path, text, "must be a strict subset of `cidr`", {
                help: `write a range inside ${cidr} that is smaller, or remove it`,
              }),
            ]
          : []),
      ];
    }),
  ];
}
