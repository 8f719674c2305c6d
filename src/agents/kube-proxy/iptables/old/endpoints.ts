/** The endpoints of a port up to 1.23: all ready ones, and those of them on the node for policy Local. A Service without any is refused. */
import type { ProxyEndpoint } from "../../endpoints.ts";
import type { ServicePort } from "../../service-ports.ts";
import type { Context } from "../context.ts";
import type { OldRelease } from "./release.ts";

export type OldEndpoints = { readonly all: readonly ProxyEndpoint[]; readonly local: readonly ProxyEndpoint[] };

/** internalTrafficPolicy Local leaves the others out for every entrance (pkg/proxy/topology.go of 1.22: FilterEndpoints). */
export function oldEndpoints({ endpointsOf }: Pick<Context, "endpointsOf">, old: OldRelease, port: ServicePort): OldEndpoints {
  const ready = endpointsOf(port).filter(({ endpoint }) => endpoint.ready);
  const local = ready.filter(({ isLocal }) => isLocal);
  return { all: old.hasInternalPolicy && port.internalPolicyLocal ? local : ready, local };
}
