/** Arms of kube-proxy itself: its mode, the release it is of, its settings, and the cluster's address families. */
import fc from "fast-check";
import type { Arm } from "./cluster.ts";
import type { Change, Draft } from "./draft.ts";

type Proxy = Draft["kubeProxy"];

const FIRST_MINOR_WITH_IIFNAME = 34;
/** Rules that name the bridge by its index: no node without pods loads them (docs/deviations.md, bridge-not-there-yet). */
const needsBridge = ({ kubernetes: { version = "1.36.0" }, kubeProxy: { mode } }: Draft): boolean =>
  mode === "nftables" && Number(version.split(".")[1]) < FIRST_MINOR_WITH_IIFNAME;

const withProxy =
  (settings: Partial<Proxy>): Change =>
  (draft) => ({ ...draft, kubeProxy: { ...draft.kubeProxy, ...settings } });

const release =
  (version: string): Change =>
  (draft) => ({ ...draft, kubernetes: { ...draft.kubernetes, version } });

const nftables =
  (version: string): Change =>
  (draft) =>
    [release(version), withProxy({ mode: "nftables" })].reduce((each, change) => change(each), draft);

const MASQUERADE_ALL = { masqueradeAll: true };
const SETTINGS: readonly Partial<Proxy>[] = [
  { mode: "none" },
  { iptables: MASQUERADE_ALL, nftables: MASQUERADE_ALL },
  { iptables: { localhostNodePorts: false } },
  { iptables: { masqueradeBit: 15 }, nftables: { masqueradeBit: 15 } },
  { nodePortAddresses: ["10.0.2.0/24"] },
  { nodePortAddresses: ["192.168.56.0/24", "127.0.0.0/8"] },
  { clusterCIDR: "10.244.1.0/24" },
  { detectLocalMode: "NodeCIDR" },
  { detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix: "cni" } },
];

const localByBridge: Change = (draft) =>
  needsBridge(draft) ? draft : withProxy({ detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "cni0" } })(draft);

export const PROXY_ARMS: readonly Arm[] = [
  { name: "another release", often: 5, change: fc.constantFrom("1.17.4", "1.24.1", "1.27.0", "1.36.0").map(release) },
  { name: "mode nftables as it was in 1.30", often: 6, change: fc.constant(nftables("1.30.3")) },
  { name: "mode nftables as it is now", often: 4, change: fc.constant(nftables("1.36.0")) },
  { name: "kube-proxy settings", often: 4, change: fc.constantFrom(...SETTINGS.map(withProxy), localByBridge) },
  {
    name: "IPv6 and dual stack",
    often: 3,
    change: fc.constantFrom<Draft["families"]>("6", "46", "64").map((families) => (draft) => ({ ...draft, families })),
  },
];
