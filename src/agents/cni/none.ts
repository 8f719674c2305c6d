/** No pod network at all: nodes that run kube-proxy only. A pod then has nothing but lo. */
import type { CniNetwork, CniNodeState, CniPlugin } from "./plugin.ts";

export const EMPTY_NODE: CniNodeState = { links: [], routes: [], neighbours: [], fdb: [], sockets: [], parts: [], sysctls: {} };

const nothing: CniNetwork = { node: () => EMPTY_NODE, pod: () => ({ links: [], routes: [] }), addresses: () => [], makes: () => false };

export const none: CniPlugin = { name: "none", start: () => nothing };
