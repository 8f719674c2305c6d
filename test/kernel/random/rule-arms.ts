/** Arms of the administrator's own netfilter rules on nodes: policies, and each form that the grammar has. */
import fc from "fast-check";
import type { Arm } from "./cluster.ts";
import type { Change, Draft } from "./draft.ts";
import { nodeArb, pick } from "./machine-arms.ts";

const addRules =
  (i: number, table: string, lines: readonly string[]): Change =>
  (draft) => {
    const node = pick(draft.nodes, i)?.name;
    return node === undefined ? draft : { ...draft, rules: [...draft.rules, ...lines.map((line) => ({ node, table, line }))] };
  };

const MATCHES: readonly string[] = [
  "-s 10.244.0.0/16",
  "-s 192.168.56.0/24",
  "! -s 10.0.2.0/24",
  "-d 10.244.1.0/24",
  "-p tcp",
  "-p udp",
  "-p icmp",
  "-p tcp -m tcp --dport 8080",
  "-p tcp -m tcp --sport 8080",
  "-p udp -m udp --dport 5353",
  "-p tcp -m multiport --dports 80,8080,30000:32767",
  "-p icmp -m icmp --icmp-type 8",
  "-p icmp -m icmp --icmp-type 3/1",
  "-p tcp -m tcp --tcp-flags SYN,RST,ACK,FIN SYN",
  "-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK",
  "-m conntrack --ctstate NEW",
  "-m conntrack --ctstate ESTABLISHED",
  "-m conntrack --ctstate RELATED",
  "-m conntrack --ctstate INVALID",
  "-m conntrack --ctstate DNAT",
  "-m conntrack --ctstate SNAT",
  "-m state --state NEW",
  "-m addrtype --dst-type LOCAL",
  "-m addrtype ! --src-type LOCAL",
  "-m mark --mark 0x4000/0x4000",
  "-m statistic --mode random --probability 0.50000000000",
  "-m physdev --physdev-is-bridged",
  "",
];
const DEVICES: Readonly<Record<string, readonly string[]>> = {
  PREROUTING: ["", "", "-i eth0", "-i cni0", "-i lo", "! -i eth+"],
  INPUT: ["", "", "-i eth0", "-i eth1", "-i lo", "-i cni0"],
  FORWARD: ["", "", "-i eth+", "-o cni0", "-i cni0", "-o flannel.1", "-i cni0 -o cni0"],
  OUTPUT: ["", "", "-o eth0", "-o cni0", "-o lo"],
  POSTROUTING: ["", "", "-o eth0", "-o cni0", "-o lo", "! -o lo"],
};
const VERDICTS: readonly string[] = [
  "-j DROP",
  "-j ACCEPT",
  "-j REJECT --reject-with icmp-port-unreachable",
  "-j REJECT --reject-with icmp-admin-prohibited",
  "-j REJECT --reject-with icmp-host-prohibited",
  "-j REJECT --reject-with icmp-net-unreachable",
  "-j LOG",
  "-j RETURN",
  "",
];

type Place = { readonly table: string; readonly chain: string };
type Sketch = { readonly place: Place; readonly match: string; readonly device: number; readonly target: string };

const filterPlaces: readonly Place[] = ["INPUT", "FORWARD", "OUTPUT"].map((chain) => ({ table: "filter", chain }));
const manglePlaces: readonly Place[] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"].map((chain) => ({
  table: "mangle",
  chain,
}));
const rawPlaces: readonly Place[] = ["PREROUTING", "OUTPUT"].map((chain) => ({ table: "raw", chain }));

const ruleOf = (places: readonly Place[], targets: readonly string[]): fc.Arbitrary<Sketch> =>
  fc.record({
    place: fc.constantFrom(...places),
    match: fc.constantFrom(...MATCHES),
    device: fc.nat(7),
    target: fc.constantFrom(...targets),
  });

/** A line that iptables-restore takes: matches and devices that the hook does not have are left out. */
function lineOf({ place, match, device, target }: Sketch): string {
  const early = place.chain === "PREROUTING" || place.chain === "INPUT";
  const noTracking = place.table === "raw" && /ctstate|state/.test(match);
  const misplaced =
    noTracking || (/physdev/.test(match) && (early || place.chain === "OUTPUT")) || (/--sport|--dport/.test(match) && false);
  const words = [`-A ${place.chain}`, pick(DEVICES[place.chain] ?? [""], device) ?? "", misplaced ? "" : match, target];
  return words.filter((word) => word !== "").join(" ");
}

const rules = (places: readonly Place[], targets: readonly string[]): fc.Arbitrary<Change> =>
  fc.tuple(nodeArb, fc.array(ruleOf(places, targets), { minLength: 1, maxLength: 3 })).map(
    ([i, sketches]): Change =>
      (draft) =>
        sketches.reduce((each, sketch) => addRules(i, sketch.place.table, [lineOf(sketch)])(each), draft),
  );

/** A pod's or machine's address and a port to send packets to. */
const targetsOf = (draft: Draft): string[] => [
  ...draft.nodes.flatMap(({ internalIP, podCIDRs }) => [
    `${internalIP}:22`,
    ...(podCIDRs ?? []).map((cidr) => `${cidr.split(".").slice(0, 3).join(".")}.2:8080`),
  ]),
  "10.0.2.201:80",
  "192.168.56.1:80",
  "127.0.0.1:22",
];

const dnat = fc
  .tuple(
    nodeArb,
    fc.constantFrom("PREROUTING", "OUTPUT"),
    fc.nat(20),
    fc.constantFrom("-p tcp -m tcp --dport 7777", "-p tcp -d 203.0.113.50/32", "-p tcp -m tcp --dport 22"),
  )
  .map(
    ([i, chain, to, match]): Change =>
      (draft) =>
        addRules(i, "nat", [`-A ${chain} ${match} -j DNAT --to-destination ${pick(targetsOf(draft), to)}`])(draft),
  );

const snat = fc
  .tuple(
    nodeArb,
    fc.constantFrom("-s 10.244.0.0/16", "-d 10.244.0.0/16", "-o eth0", "-p udp", "-p icmp", "! -o lo -p tcp", "-s 192.168.56.0/24"),
    fc.constantFrom("MASQUERADE", "MASQUERADE --random-fully", "SNAT --to-source 10.0.2.99", "SNAT --to-source 10.0.2.11", "RETURN"),
  )
  .map(([i, match, target]) => addRules(i, "nat", [`-A POSTROUTING ${match} -j ${target}`]));

export const RULE_ARMS: readonly Arm[] = [
  {
    name: "policy DROP",
    often: 5,
    change: fc
      .tuple(nodeArb, fc.constantFrom("FORWARD", "FORWARD", "INPUT", "OUTPUT"))
      .map(([i, chain]) => addRules(i, "filter", [`:${chain} DROP`])),
  },
  { name: "filter rules", often: 3, change: rules(filterPlaces, VERDICTS) },
  { name: "mangle rules", often: 6, change: rules(manglePlaces, ["-j DROP", "-j ACCEPT", "-j MARK --set-xmark 0x4000/0x4000", ""]) },
  { name: "raw rules", often: 8, change: rules(rawPlaces, ["-j DROP", "-j NOTRACK", "-j ACCEPT", ""]) },
  { name: "DNAT", often: 4, change: dnat },
  {
    name: "REDIRECT",
    often: 10,
    change: nodeArb.map((i) => addRules(i, "nat", ["-A PREROUTING -p tcp -m tcp --dport 7778 -j REDIRECT --to-ports 22"])),
  },
  { name: "SNAT and MASQUERADE", often: 4, change: snat },
  {
    name: "a stateful firewall",
    often: 6,
    change: nodeArb.map((i) =>
      addRules(i, "filter", [
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -i eth1 -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset",
      ]),
    ),
  },
];
