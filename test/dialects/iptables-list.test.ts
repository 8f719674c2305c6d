/** `iptables -L -n`: each row is a rule and the line that the real iptables 1.8.9 printed for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { printIptablesList } from "../../src/dialects/iptables-list.ts";
import { parseIptablesSave } from "../../src/dialects/iptables-save.ts";

const rows: readonly (readonly [rule: string, listed: string])[] = [
  [
    "-A PREROUTING -s 10.0.0.0/8 -i eth0 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x4000/0x4000",
    "MARK       6    --  10.0.0.0/8           0.0.0.0/0            tcp dpt:80 MARK or 0x4000",
  ],
  ["-A PREROUTING -j MARK --set-xmark 0x4000/0x0", "MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK xor 0x4000"],
  ["-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff", "MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK set 0x1"],
  ["-A PREROUTING -j MARK --set-xmark 0x0/0x10", "MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK and 0xffffffef"],
  ["-A PREROUTING -j MARK --set-xmark 0x3/0xf", "MARK       0    --  0.0.0.0/0            0.0.0.0/0            MARK xset 0x3/0xf"],
  [
    "-A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp flags:0x17/0x02",
  ],
  [
    "-A PREROUTING -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp flags:!0x17/0x02",
  ],
  [
    "-A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN FIN -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp flags:0x03/0x01",
  ],
  [
    "-A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp flags:0x3F/0x00",
  ],
  [
    "-A PREROUTING -p tcp -m multiport --dports 80,443 -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            multiport dports 80,443",
  ],
  [
    "-A PREROUTING -p tcp -m multiport ! --sports 80,100:200 -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            multiport sports  !80,100:200",
  ],
  [
    "-A PREROUTING -p udp -m multiport --ports 80 -j ACCEPT",
    "ACCEPT     17   --  0.0.0.0/0            0.0.0.0/0            multiport ports 80",
  ],
  [
    "-A PREROUTING -p udp -m udp --sport 53 --dport 1024:65535 -j ACCEPT",
    "ACCEPT     17   --  0.0.0.0/0            0.0.0.0/0            udp spt:53 dpts:1024:65535",
  ],
  ["-A PREROUTING -p udp -m udp ! --sport 53 -j ACCEPT", "ACCEPT     17   --  0.0.0.0/0            0.0.0.0/0            udp spt:!53"],
  ["-A PREROUTING -p sctp -m sctp --dport 9 -j ACCEPT", "ACCEPT     132  --  0.0.0.0/0            0.0.0.0/0            sctp dpt:9"],
  ["-A PREROUTING -p tcp -m tcp -j ACCEPT", "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp"],
  ["-A PREROUTING -p icmp -m icmp --icmp-type 8 -j ACCEPT", "ACCEPT     1    --  0.0.0.0/0            0.0.0.0/0            icmptype 8"],
  [
    "-A PREROUTING -p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
    "ACCEPT     1    --  0.0.0.0/0            0.0.0.0/0            icmptype 3 code 4",
  ],
  ["-A PREROUTING -p icmp -m icmp ! --icmp-type 8 -j ACCEPT", "ACCEPT     1    --  0.0.0.0/0            0.0.0.0/0            icmp !type 8"],
  ["-A FORWARD ! -i lo+ -o eth1 -j ACCEPT", "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0"],
  ["-A PREROUTING -j NOTRACK", "CT         0    --  0.0.0.0/0            0.0.0.0/0            NOTRACK"],
  ["-A PREROUTING -j CT --notrack", "CT         0    --  0.0.0.0/0            0.0.0.0/0            CT notrack"],
  [
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED",
  ],
  [
    "-A INPUT -m conntrack ! --ctstate INVALID,NEW,DNAT -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            ! ctstate INVALID,NEW,DNAT",
  ],
  ["-A INPUT -m state --state NEW -j ACCEPT", "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            state NEW"],
  ["-A INPUT ! -s 127.0.0.0/8 ! -d 1.2.3.4/32 -j DROP", "DROP       0    -- !127.0.0.0/8         !1.2.3.4"],
  [
    '-A INPUT -m comment --comment "a b" -j REJECT --reject-with icmp-port-unreachable',
    "REJECT     0    --  0.0.0.0/0            0.0.0.0/0            /* a b */ reject-with icmp-port-unreachable",
  ],
  [
    "-A INPUT -p tcp -j REJECT --reject-with tcp-reset",
    "REJECT     6    --  0.0.0.0/0            0.0.0.0/0            reject-with tcp-reset",
  ],
  [
    "-A INPUT -p tcp -m comment --comment x -m tcp --dport 80 -j EMPTY",
    "EMPTY      6    --  0.0.0.0/0            0.0.0.0/0            /* x */ tcp dpt:80",
  ],
  ["-A INPUT -g A-CHAIN-WITH-A-LONG-NAME-X", "A-CHAIN-WITH-A-LONG-NAME-X  0    --  0.0.0.0/0            0.0.0.0/0           [goto]"],
  [
    "-A INPUT -m addrtype --dst-type LOCAL -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            ADDRTYPE match dst-type LOCAL",
  ],
  [
    "-A INPUT -m addrtype ! --src-type LOCAL --dst-type UNICAST -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            ADDRTYPE match src-type !LOCAL dst-type UNICAST",
  ],
  [
    "-A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            ADDRTYPE match dst-type LOCAL limit-in",
  ],
  [
    "-A INPUT -m statistic --mode random --probability 0.33333333349 -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            statistic mode random probability 0.33333333349",
  ],
  [
    "-A INPUT -m statistic --mode nth --every 3 --packet 1 -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            statistic mode nth every 3 packet 1",
  ],
  [
    "-A INPUT -m mark --mark 0x4000/0x4000 -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            mark match 0x4000/0x4000",
  ],
  [
    "-A INPUT -m mark ! --mark 0x4000/0x4000 -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            mark match ! 0x4000/0x4000",
  ],
  ["-A INPUT -m mark --mark 0x5 -j ACCEPT", "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            mark match 0x5"],
  ["-A INPUT -m comment --comment nothing", "           0    --  0.0.0.0/0            0.0.0.0/0            /* nothing */"],
  [
    "-A INPUT -m recent --rcheck --seconds 10800 --reap --name X --mask 255.255.255.255 --rsource -j EMPTY",
    "EMPTY      0    --  0.0.0.0/0            0.0.0.0/0            recent: CHECK seconds: 10800 reap name: X side: source mask: 255.255.255.255",
  ],
  [
    "-A INPUT -m recent --set --name X --mask 255.255.255.255 --rsource",
    "           0    --  0.0.0.0/0            0.0.0.0/0            recent: SET name: X side: source mask: 255.255.255.255",
  ],
  ["-A INPUT ! -p tcp -j ACCEPT", "ACCEPT    !6    --  0.0.0.0/0            0.0.0.0/0"],
  ["-A INPUT -p 132 -j ACCEPT", "ACCEPT     132  --  0.0.0.0/0            0.0.0.0/0"],
  ["-A INPUT -p esp -j ACCEPT", "ACCEPT     50   --  0.0.0.0/0            0.0.0.0/0"],
  [
    "-A INPUT -m physdev --physdev-is-bridged -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            PHYSDEV match --physdev-is-bridged",
  ],
  ['-A INPUT -j LOG --log-prefix "hi "', 'LOG        0    --  0.0.0.0/0            0.0.0.0/0            LOG flags 0 level 4 prefix "hi "'],
  [
    "-A PREROUTING -p tcp -j DNAT --to-destination 10.244.2.10:8080",
    "DNAT       6    --  0.0.0.0/0            0.0.0.0/0            to:10.244.2.10:8080",
  ],
  [
    "-A PREROUTING -p tcp -j DNAT --to-destination 10.244.2.10:80-90 --random --persistent",
    "DNAT       6    --  0.0.0.0/0            0.0.0.0/0            to:10.244.2.10:80-90 random persistent",
  ],
  [
    "-A PREROUTING -j DNAT --to-destination 1.1.1.1-1.1.1.4",
    "DNAT       0    --  0.0.0.0/0            0.0.0.0/0            to:1.1.1.1-1.1.1.4",
  ],
  ["-A PREROUTING -p tcp -j REDIRECT --to-ports 80", "REDIRECT   6    --  0.0.0.0/0            0.0.0.0/0            redir ports 80"],
  ["-A PREROUTING -p tcp -j REDIRECT", "REDIRECT   6    --  0.0.0.0/0            0.0.0.0/0"],
  ["-A POSTROUTING -j SNAT --to-source 1.2.3.4", "SNAT       0    --  0.0.0.0/0            0.0.0.0/0            to:1.2.3.4"],
  [
    "-A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:100-200 --random-fully --persistent",
    "SNAT       6    --  0.0.0.0/0            0.0.0.0/0            to:1.2.3.4:100-200 random-fully persistent",
  ],
  ["-A POSTROUTING -j MASQUERADE", "MASQUERADE  0    --  0.0.0.0/0            0.0.0.0/0"],
  ["-A POSTROUTING -j MASQUERADE --random-fully", "MASQUERADE  0    --  0.0.0.0/0            0.0.0.0/0            random-fully"],
  ["-A INPUT -m state ! --state NEW -j ACCEPT", "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            ! state NEW"],
  [
    "-A INPUT -m statistic --mode nth ! --every 3 --packet 0 -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            statistic mode nth ! every 3",
  ],
  [
    "-A INPUT -m statistic --mode nth --every 3 --packet 0 -j RETURN",
    "RETURN     0    --  0.0.0.0/0            0.0.0.0/0            statistic mode nth every 3",
  ],
  [
    "-A INPUT -m recent ! --rcheck --seconds 10 --name X --mask 255.255.255.255 --rdest -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            ! recent: CHECK seconds: 10 name: X side: dest mask: 255.255.255.255",
  ],
  [
    "-A INPUT -m recent --update --name X --mask 255.255.255.255 --rsource -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            recent: UPDATE name: X side: source mask: 255.255.255.255",
  ],
  [
    "-A INPUT -m recent --remove --name X --mask 255.255.255.255 --rsource -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            recent: REMOVE name: X side: source mask: 255.255.255.255",
  ],
  [
    "-A INPUT -m set --match-set S1 dst,dst -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            match-set S1 dst,dst",
  ],
  [
    "-A INPUT -m set ! --match-set S1 src,dst -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            ! match-set S1 src,dst",
  ],
  [
    "-A INPUT -m physdev --physdev-in v0 --physdev-out v1 -j ACCEPT",
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            PHYSDEV match --physdev-in v0 --physdev-out v1",
  ],
  ["-A INPUT -p tcp -m tcp ! --dport 5:10 -j ACCEPT", "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp dpts:!5:10"],
  [
    "-A INPUT -p tcp -m tcp --sport 5:10 --dport 1 --tcp-flags SYN SYN -j ACCEPT",
    "ACCEPT     6    --  0.0.0.0/0            0.0.0.0/0            tcp spts:5:10 dpt:1 flags:0x02/0x02",
  ],
  ["-A INPUT ! -i eth0 -j ACCEPT", "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0"],
  ["-A INPUT ! -s 10.0.0.0/8 -i eth+ -p tcp -g X-10", "X-10       6    -- !10.0.0.0/8           0.0.0.0/0           [goto]"],
  ["-A INPUT -p tcp -m tcp --dport 1 -g X-10", "X-10       6    --  0.0.0.0/0            0.0.0.0/0           [goto]  tcp dpt:1"],
  [
    '-A INPUT -j NFLOG --nflog-prefix "a b" --nflog-group 3',
    'NFLOG      0    --  0.0.0.0/0            0.0.0.0/0            nflog-prefix "a b" nflog-group 3',
  ],
  [
    '-A INPUT -j LOG --log-prefix "x" --log-level 7 --log-ip-options --log-uid',
    'LOG        0    --  0.0.0.0/0            0.0.0.0/0            LOG flags 12 level 7 prefix "x"',
  ],
  ["-A INPUT -j LOG", "LOG        0    --  0.0.0.0/0            0.0.0.0/0            LOG flags 0 level 4"],
  [
    '-A INPUT -m comment --comment "quote \\" and \'x\'" -j ACCEPT',
    "ACCEPT     0    --  0.0.0.0/0            0.0.0.0/0            /* quote \" and 'x' */",
  ],
  ["-A INPUT -p udplite -j ACCEPT", "ACCEPT     136  --  0.0.0.0/0            0.0.0.0/0"],
  ["-A INPUT -p 99 -j ACCEPT", "ACCEPT     99   --  0.0.0.0/0            0.0.0.0/0"],
  ["-A INPUT -f -j ACCEPT", "ACCEPT     0    -f  0.0.0.0/0            0.0.0.0/0"],
  [
    "-A INPUT -p icmp -m icmp ! --icmp-type 3/4 -j DROP",
    "DROP       1    --  0.0.0.0/0            0.0.0.0/0            icmp !type 3 code 4",
  ],
  ["-A INPUT -p tcp -m tcp --dport 0:1023 -j X_a", "X_a        6    --  0.0.0.0/0            0.0.0.0/0            tcp dpts:0:1023"],
  ["-A INPUT -p tcp -m tcp --sport 1:1 -j Xa", "Xa         6    --  0.0.0.0/0            0.0.0.0/0            tcp spt:1"],
];

const CHAINS = [":A-CHAIN-WITH-A-LONG-NAME-X - [0:0]", ":EMPTY - [0:0]", ":X-10 - [0:0]", ":X_a - [0:0]", ":Xa - [0:0]"];

function load(rules: readonly string[]) {
  const inNat = rules.some((rule) => /ROUTING/.test(rule));
  const { tables, problems } = parseIptablesSave([inNat ? "*nat" : "*filter", ...CHAINS, ...rules, "COMMIT", ""].join("\n"), "test");
  assert.deepEqual(problems, []);
  const [table] = tables;
  assert.ok(table);
  return table;
}

for (const [rule, listed] of rows)
  test(rule, () => {
    const chain = rule.split(" ")[1] ?? "";
    assert.equal(
      printIptablesList(load([rule]), { chain })
        .split("\n")[2]
        ?.trimEnd(),
      listed,
    );
  });

test("policies, references, counters and line numbers stand as iptables prints them", () => {
  const table = load(["-P INPUT DROP", "-A INPUT ! -i eth0 -j EMPTY", "-A EMPTY -j RETURN", "-A EMPTY -g EMPTY"]);
  const input = { chain: "INPUT", verbose: true, lineNumbers: true };
  assert.equal(
    printIptablesList(table, input),
    [
      "Chain INPUT (policy DROP 0 packets, 0 bytes)",
      "num   pkts bytes target     prot opt in     out     source               destination         ",
      "1        0     0 EMPTY      0    --  !eth0  *       0.0.0.0/0            0.0.0.0/0           ",
      "",
    ].join("\n"),
  );
  assert.match(printIptablesList(table), /\n\nChain EMPTY \(2 references\)\ntarget {5}prot opt source {15}destination {9}\n/);
  assert.match(
    printIptablesList(table, { chain: "EMPTY", exact: true, verbose: true }),
    /\n {4}pkts {6}bytes target .*\n {7}0 {8}0 RETURN /,
  );
});
