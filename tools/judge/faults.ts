/**
 * Faults of a kernel, as changes of one place in src/linux: what a walker that was only believed would get wrong. `from`
 * stands in its file exactly once. A fault that no longer applies is to be written anew, not left out.
 */
export type Fault = { readonly name: string; readonly file: string; readonly from: string; readonly to: string };

export const FAULTS: readonly Fault[] = [
  { name: "TTL not decremented", file: "input.ts", from: "{ ...packet, ttl: packet.ttl - 1 }", to: "{ ...packet }" },
  { name: "TTL runs out one hop late", file: "input.ts", from: "if (packet.ttl <= 1)", to: "if (packet.ttl <= 0)" },
  {
    name: "masquerade by the wrong address",
    file: "route.ts",
    from: 'selectAddress(netns, dev, nexthop, "global")',
    to: 'selectAddress(netns, netns.links.at(-1)?.name ?? dev, nexthop, "global")',
  },
  {
    name: "no hairpin check",
    file: "bridge.ts",
    from: "out.name === port.name && out.hairpin !== true",
    to: "out.name === port.name && false",
  },
  {
    name: "nat visited by replies",
    file: "nat.ts",
    from: 'if (tracked.state !== "NEW" && (tracked.state !== "RELATED" || packet.segment.kind === "icmp-error")) return false;\n  return manip',
    to: 'if (tracked.direction === "reply") return true;\n  return manip',
  },
  {
    name: "FORWARD skipped",
    file: "input.ts",
    from: 'const end = runHook(flight, netns, "forward", {',
    to: 'const end = netns.id === "" && runHook(flight, netns, "forward", {',
  },
  {
    name: "bridged packets miss netfilter",
    file: "bridge.ts",
    from: '"net.bridge.bridge-nf-call-ip6tables") === "1"',
    to: '"net.bridge.bridge-nf-call-ip6tables") === "2"',
  },
  {
    name: "bridge-nf-call-iptables ignored",
    file: "bridge.ts",
    from: '"net.bridge.bridge-nf-call-ip6tables") === "1"',
    to: '"net.bridge.bridge-nf-call-ip6tables") !== "2"',
  },
  { name: "rp_filter ignored", file: "input.ts", from: "if (mode === 0) return undefined;", to: "if (mode >= 0) return undefined;" },
  {
    name: "strict rp_filter is loose",
    file: "input.ts",
    from: "mode === 1 && nexthopDevice(back) !== dev",
    to: "mode === 3 && nexthopDevice(back) !== dev",
  },
  {
    name: "shortest prefix wins",
    file: "route.ts",
    from: "route.to.length > best.to.length ||",
    to: "route.to.length < best.to.length ||",
  },
  {
    name: "ip_forward ignored",
    file: "input.ts",
    from: 'sysctl(netns, forwardingKey(family)) === "1"',
    to: 'sysctl(netns, forwardingKey(family)) !== "x"',
  },
  {
    name: "own addresses accepted as source",
    file: "input.ts",
    from: "if (isLocalAddress(netns, src)) return",
    to: 'if (src === "") return',
  },
  {
    name: "route_localnet ignored coming in",
    file: "input.ts",
    from: 'deviceSetting(netns, dev, "route_localnet") > 0',
    to: 'deviceSetting(netns, dev, "route_localnet") >= 0',
  },
  {
    name: "ICMP errors come from the nearest address",
    file: "answers.ts",
    from: "isLocalAddress(netns, about.dst) ? about.dst : sourceTowards(netns, about.src, iif)",
    to: "sourceTowards(netns, about.src, iif)",
  },
  {
    name: "what an ICMP error quotes is not translated",
    file: "nat.ts",
    from: "{ ...packet.segment, quoted: inner }",
    to: "{ ...packet.segment, quoted }",
  },
  {
    name: "answers are not translated back",
    file: "nat.ts",
    from: "if (!isTranslated(tracked.entry, manip, tracked.direction)) return { packet };",
    to: 'if (!isTranslated(tracked.entry, manip, tracked.direction) || tracked.direction === "reply") return { packet };',
  },
  { name: "an ACK out of the blue is established", file: "conntrack.ts", from: 'return entry.progress !== "new";', to: "return true;" },
  {
    name: "no new route after DNAT in OUTPUT",
    file: "hooks.ts",
    from: "if (reroute && entry.mayReroute &&",
    to: "if (reroute && !entry.mayReroute &&",
  },
  {
    name: "a closed UDP port is silent",
    file: "local.ts",
    from: 'return refuse(flight, netns, "port-unreachable", "not-listening");',
    to: 'return dropped(flight, netns.id, "not-listening", "nobody listens");',
  },
  {
    name: "a process bound to one address answers at all",
    file: "local.ts",
    from: "(s.ip === packet.dst || takesAny(s, packet))",
    to: 's.ip !== ""',
  },
  {
    name: "masquerade keeps the port",
    file: "hooks.ts",
    from: 'port: change.randomPort ? flight.run.nextSymbol("mport") : now.port };\n  }\n  if (change.redirect)',
    to: "port: now.port };\n  }\n  if (change.redirect)",
  },
  { name: "the mark travels on the wire", file: "output.ts", from: "  flight.mark = 0;\n", to: "" },
  {
    name: "a silent neighbour is not told",
    file: "output.ts",
    from: 'return ended(refuse(flight, netns, "host-unreachable", reason, ARP_GIVES_UP_AFTER));',
    to: 'return ended(dropped(flight, netns.id, reason, "nobody answers"));',
  },
  { name: "the tunnel copies the TTL", file: "vxlan.ts", from: "ttl: defaultTtl(netns, familyOf(fdb.dst))", to: "ttl: flight.packet.ttl" },
  { name: "chain policies ignored", file: "netfilter/evaluate.ts", from: 'chain.policy === "drop" ?', to: "chain.policy === undefined ?" },
  {
    name: "the first endpoint always",
    file: "hooks.ts",
    from: "const isYes = run.choose([yes, fraction(k - 1, k)]) === 0;",
    to: "const isYes = true;",
  },
  {
    name: "a jump does not come back",
    file: "netfilter/evaluate.ts",
    from: 'verdict.kind === "return" && target.kind === "jump" ? undefined : verdict',
    to: "verdict",
  },
  {
    name: "a packet over lo is routed anew",
    file: "input.ts",
    from: "  if (flight.looped) {\n    flight.looped = false;\n",
    to: '  if (flight.looped && dev !== "lo") {\n    flight.looped = false;\n',
  },
  {
    name: "DNAT behind the same bridge is routed",
    file: "bridge.ts",
    from: "if (there === undefined) return up(",
    to: "if (there !== null) return up(",
  },
];
