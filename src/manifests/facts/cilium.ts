/** Cilium's configuration: ConfigMap cilium-config, whose keys are the agent's flags (cilium install/kubernetes). */
import { parseCidr } from "../../net/address.ts";
import type { ApiObject } from "../../objects/api.ts";
import type { CniFacts } from "./cni.ts";
import { configMapsNamed, textIn } from "./texts.ts";

const KEYS = ["routing-mode", "tunnel", "tunnel-protocol", "ipam", "kube-proxy-replacement", "enable-bpf-masquerade"] as const;

/** Its settings; the pod range only where Cilium's own IPAM hands it out. */
export function readCilium(objects: readonly ApiObject[]): CniFacts {
  const [config] = configMapsNamed(objects, /^cilium-config$/);
  const said = (key: string): string | undefined => config && textIn(config, key);
  const podCIDRs = ["cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr"]
    .flatMap((key) => (said(key) ?? "").split(/[\s,]+/))
    .filter((text) => parseCidr(text) !== undefined);
  return {
    cni: { plugin: "cilium", ...Object.fromEntries(KEYS.flatMap((key) => (said(key) === undefined ? [] : [[key, said(key)]]))) },
    ...(podCIDRs.length > 0 ? { podCIDRs } : {}),
    ...(/^(true|strict)$/.test(said("kube-proxy-replacement") ?? "") ? { replacesKubeProxy: true } : {}),
  };
}
