/**
 * The chains and affinity sets of service ports, by name. A name says nothing about its port, so a chain is known once some
 * rule or map has named it; a name that nobody gave out makes them all known.
 */
import type { NftChain, NftSet } from "../../../linux/netfilter/nft.ts";
import { nftSetOf } from "../../../linux/netfilter/nft-set.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import { once } from "../iptables/dispatch.ts";
import type { ServicePort } from "../service-ports.ts";
import type { NftWriter } from "./context.ts";
import { chainOf } from "./fixed.ts";
import { usesFirewall } from "./maps.ts";
import { type ChainKind, endpointName, portChainName } from "./names.ts";
import { endpointRules, externalRules, firewallRulesOf, serviceRules } from "./port-rules.ts";

export type NftPortChains = Pick<NftWriter, "chainName" | "endpointChain" | "affinitySet"> & {
  readonly chain: (name: string) => NftChain | undefined;
  readonly chainNames: () => readonly string[];
  readonly set: (name: string) => NftSet | undefined;
  readonly sets: () => readonly NftSet[];
};

/** `writer` is asked for when the first chain is made: it holds these very functions. */
export function createNftPortChains(ports: () => readonly ServicePort[], writer: () => NftWriter): NftPortChains {
  const chains = new Map<string, () => NftChain>();
  const sets = new Map<string, NftSet>();
  const learn = (name: string, make: () => ReturnType<typeof serviceRules>): string => {
    if (!chains.has(name))
      chains.set(
        name,
        once(() => chainOf(name, make())),
      );
    return name;
  };
  const chainName: NftWriter["chainName"] = (kind, port) =>
    learn(portChainName(kind, port), () => {
      if (kind === "external") return externalRules(writer(), port);
      return kind === "firewall" ? firewallRulesOf(writer(), port) : serviceRules(writer(), port, kind);
    });
  const endpointChain: NftWriter["endpointChain"] = (port, endpoint) =>
    learn(endpointName("endpoint", port, endpoint), () => endpointRules(writer(), port, endpoint));
  const affinitySet: NftWriter["affinitySet"] = (port, endpoint) => {
    const name = endpointName("affinity", port, endpoint);
    if (!sets.has(name)) sets.set(name, affinityOf(writer(), name, port));
    return name;
  };
  const names = once(() => ports().flatMap((port) => chainNamesOf({ chainName, endpointChain, writer: writer() }, port)));
  const learnSets = once(() => {
    for (const port of ports())
      if (port.affinitySeconds !== undefined) for (const endpoint of writer().decide(port).reachable) affinitySet(port, endpoint);
  });
  return {
    chainName,
    endpointChain,
    affinitySet,
    chain: (name) => {
      if (!chains.has(name) && /^(service|local|external|firewall|endpoint)-/.test(name)) names();
      return chains.get(name)?.();
    },
    chainNames: names,
    set: (name) => {
      if (!sets.has(name) && name.startsWith("affinity-")) learnSets();
      return sets.get(name);
    },
    sets: () => {
      learnSets();
      return [...sets.values()];
    },
  };
}

/** `size` is what the kernel shows of a dynamic set that was given none. */
const affinityOf = ({ family }: NftWriter, name: string, { affinitySeconds }: ServicePort): NftSet =>
  nftSetOf(
    {
      name,
      kind: "set",
      type: [family === 4 ? "ipv4_addr" : "ipv6_addr"],
      size: 65535,
      flags: ["dynamic", "timeout"],
      ...(affinitySeconds === undefined ? {} : { timeoutSeconds: affinitySeconds }),
    },
    [],
  );

type Naming = Pick<NftWriter, "chainName" | "endpointChain"> & { readonly writer: NftWriter };

/** The chains that exist for a port, in the order in which they are made. */
function chainNamesOf({ chainName, endpointChain, writer }: Naming, port: ServicePort): readonly string[] {
  const { cluster, local, reachable, hasEndpoints } = writer.decide(port);
  const perEndpoint = writer.form === "first" || port.affinitySeconds !== undefined;
  const kinds: readonly (readonly [ChainKind, boolean])[] = [
    ["service", cluster.length > 0],
    ["local", local.length > 0],
    ["external", hasEndpoints && port.isExternallyAccessible],
    ["firewall", usesFirewall(port)],
  ];
  return [
    ...(perEndpoint ? reachable.map((endpoint: ProxyEndpoint) => endpointChain(port, endpoint)) : []),
    ...kinds.flatMap(([kind, exists]) => (exists ? [chainName(kind, port)] : [])),
  ];
}
