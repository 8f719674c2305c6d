/**
 * flanneld's iptables rules since v0.20.2 (pkg/trafficmngr/iptables/iptables.go, MasqRules and ForwardRules), appended to the
 * built-in chains. Not modelled: --iptables-forward-rules=false, iptables older than 1.6.2 (no --random-fully).
 */
import type { Match, Rule, Target } from "../../linux/netfilter/rule.ts";
import { type Cidr, type Family, familyOf } from "../../net/address.ts";
import type { CauseId } from "../../net/cause.ts";
import type { CauseTable } from "../../objects/cause.ts";
import { chainOfRules, partOf, type RulesetPart } from "../ruleset.ts";
import { MULTICAST } from "./ip-masq.ts";

const POSTRTG = "FLANNEL-POSTRTG";
const FWD = "FLANNEL-FWD";
/** kube-proxy's masquerade mark: such packets have been dealt with. */
const KUBE_MARK = 0x4000;

/** nat and filter rules of one node: `subnets` are its leases, `networks` flannel's Network of each family. */
export function flannelParts(subnets: readonly Cidr[], networks: readonly Cidr[], causes: CauseTable): RulesetPart[] {
  const cause = causes.add({ role: "cni", note: "flannel's masquerade and forward rules" });
  return networks.flatMap((network) => {
    const family = familyOf(network.ip);
    const subnet = subnets.find((each) => familyOf(each.ip) === family);
    return subnet ? [natPart(family, subnet, network, cause), filterPart(family, network, cause)] : [];
  });
}

function natPart(family: Family, subnet: Cidr, network: Cidr, cause: CauseId): RulesetPart {
  const rule = rulesWith("flanneld masq", cause);
  const masquerade: Target = { kind: "masquerade", randomFully: true };
  const back: Target = { kind: "return" };
  const chain = [
    rule([{ kind: "mark", value: KUBE_MARK, mask: KUBE_MARK }], back),
    rule([src(subnet), dst(network)], back),
    rule([src(network), dst(subnet)], back),
    rule([not(src(network)), dst(subnet)], back), // outside clients of a local pod keep their source
    rule([src(network), not(dst(MULTICAST[family]))], masquerade),
    rule([not(src(network)), dst(network)], masquerade),
  ];
  return partOf(
    family,
    "nat",
    [chainOfRules(POSTRTG, chain)],
    [{ chain: "POSTROUTING", at: "back", rules: [rule([], { kind: "jump", chain: POSTRTG })] }],
  );
}

function filterPart(family: Family, network: Cidr, cause: CauseId): RulesetPart {
  const rule = rulesWith("flanneld forward", cause);
  const chain = [rule([src(network)], { kind: "accept" }), rule([dst(network)], { kind: "accept" })];
  return partOf(
    family,
    "filter",
    [chainOfRules(FWD, chain)],
    [{ chain: "FORWARD", at: "back", rules: [rule([], { kind: "jump", chain: FWD })] }],
  );
}

const rulesWith =
  (text: string, cause: CauseId) =>
  (matches: readonly Match[], target: Target): Rule => ({ matches: [...matches, { kind: "comment", text }], target, cause });

const src = (cidr: Cidr): Match => ({ kind: "src", cidr });
const dst = (cidr: Cidr): Match => ({ kind: "dst", cidr });
const not = (match: Match): Match => ({ ...match, not: true });
