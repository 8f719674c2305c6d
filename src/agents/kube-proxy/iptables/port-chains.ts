/**
 * The chains of service ports, by name. A name says nothing about its port, so a chain is known once some rule has named
 * it; a name that nobody gave out (someone reads the whole table) makes them all known.
 */
import type { Rule } from "../../../linux/netfilter/rule.ts";
import type { Chain } from "../../../linux/netfilter/table.ts";
import { chainOfRules } from "../../ruleset.ts";
import type { ProxyEndpoint } from "../endpoints.ts";
import { endpointChainName, servicePortHash } from "../names.ts";
import type { ServicePort } from "../service-ports.ts";
import type { ChainPrefix, Context } from "./context.ts";
import { once } from "./dispatch.ts";
import { endpointChain } from "./endpoint-chain.ts";
import { externalChain } from "./external-chain.ts";
import { firewallChain, usesFirewall } from "./load-balancer.ts";
import { serviceChain } from "./service-chain.ts";

export type PortChains = Pick<Context, "chainName" | "endpointChain"> & {
  readonly chain: (name: string) => Chain | undefined;
  readonly names: () => readonly string[];
};

/** What the chains of a port hold, in one release or another. */
export type PortForm = {
  readonly prefixes: (port: ServicePort) => readonly ChainPrefix[];
  readonly rules: (prefix: ChainPrefix, port: ServicePort) => readonly Rule[];
  readonly endpoints: (port: ServicePort) => readonly ProxyEndpoint[];
};

/** `form` and `context` are asked for when the first chain is made: they hold these very functions. */
export function createPortChains(ports: () => readonly ServicePort[], context: () => Context, form: () => PortForm): PortChains {
  const makers = new Map<string, () => Chain>();
  const known = new Map<ServicePort, PortNames>();
  const learn = (name: string, make: () => ReturnType<typeof serviceChain>): string => {
    if (!makers.has(name))
      makers.set(
        name,
        once(() => chainOfRules(name, make())),
      );
    return name;
  };
  const namesOf = (port: ServicePort): PortNames => {
    const names = known.get(port) ?? { hash: servicePortHash(port.text, port.protocol), endpoints: new Map() };
    known.set(port, names);
    return names;
  };
  const chainName: Context["chainName"] = (prefix, port) => learn(`KUBE-${prefix}-${namesOf(port).hash}`, () => form().rules(prefix, port));
  const nameOfEndpoint: Context["endpointChain"] = (port, endpoint) => {
    const { endpoints } = namesOf(port);
    const name = endpoints.get(endpoint) ?? endpointChainName(port.text, port.protocol, endpoint.text);
    endpoints.set(endpoint, name);
    return learn(name, () => endpointChain(context(), port, endpoint));
  };
  const learnAll = once(() => {
    for (const port of ports()) for (const prefix of form().prefixes(port)) chainName(prefix, port);
    for (const port of ports()) for (const endpoint of form().endpoints(port)) nameOfEndpoint(port, endpoint);
  });
  return {
    chainName,
    endpointChain: nameOfEndpoint,
    chain: (name) => {
      if (!makers.has(name) && /^KUBE-(SVC|SVL|EXT|FW|XLB|SEP)-/.test(name)) learnAll();
      return makers.get(name)?.();
    },
    names: () => {
      learnAll();
      return [...makers.keys()];
    },
  };
}

type PortNames = { readonly hash: string; readonly endpoints: Map<ProxyEndpoint, string> };

/** KUBE-SVC, -SVL, -EXT and -FW, from 1.24. */
export const currentForm = (context: () => Context): PortForm => ({
  prefixes: (port) => prefixesOf(context(), port),
  rules: (prefix, port) => {
    if (prefix === "EXT") return externalChain(context(), port);
    if (prefix === "FW") return firewallChain(context(), port);
    return serviceChain(context(), port, prefix === "SVL" ? "SVL" : "SVC");
  },
  endpoints: (port) => context().decide(port).reachable,
});

/** The chains that exist for a port. */
function prefixesOf(context: Context, port: ServicePort): readonly ChainPrefix[] {
  const { cluster, local, hasEndpoints } = context.decide(port);
  return [
    ...(cluster.length > 0 ? (["SVC"] as const) : []),
    ...(local.length > 0 ? (["SVL"] as const) : []),
    ...(hasEndpoints && port.isExternallyAccessible ? (["EXT"] as const) : []),
    ...(usesFirewall(context, port) ? (["FW"] as const) : []),
  ];
}
