/**
 * Calico's configuration: IPPool and FelixConfiguration objects (crd.projectcalico.org/v1, projectcalico.org/v3), ConfigMap
 * kube-system/calico-config. Keys keep the names that Calico gives them.
 */
import { parseCidr } from "../../net/address.ts";
import type { ApiObject } from "../../objects/api.ts";
import { fieldAt, textAt } from "../../objects/record.ts";
import type { YamlMapping } from "../yaml/construct.ts";
import type { CniFacts } from "./cni.ts";
import { configMapsNamed, textIn } from "./texts.ts";

const POOL_KEYS = ["ipipMode", "vxlanMode", "blockSize", "natOutgoing"] as const;
const FELIX_KEYS = ["bpfEnabled", "vxlanPort", "vxlanVNI", "defaultEndpointToHostAction", "wireguardEnabled"] as const;

/** The pools that are not disabled, by name; the first one's modes stand for the cluster. */
export function readCalico(objects: readonly ApiObject[], settings: readonly YamlMapping[]): CniFacts {
  const pools = settings
    .filter((object) => object.kind === "IPPool" && fieldAt(object, "spec", "disabled") !== true)
    .sort((a, b) => (textAt(a, "metadata", "name") < textAt(b, "metadata", "name") ? -1 : 1));
  const felix = settings.find((object) => object.kind === "FelixConfiguration" && textAt(object, "metadata", "name") === "default");
  const podCIDRs = pools.map((pool) => textAt(pool, "spec", "cidr")).filter((text) => parseCidr(text) !== undefined);
  const [config] = configMapsNamed(objects, /^calico-config$/);
  const backend = config && textIn(config, "calico_backend");
  return {
    cni: {
      plugin: "calico",
      ...(backend === undefined ? {} : { backend }),
      ...pick(fieldAt(pools[0], "spec"), POOL_KEYS),
      ...pick(fieldAt(felix, "spec"), FELIX_KEYS),
    },
    ...(podCIDRs.length > 0 ? { podCIDRs } : {}),
    ...(fieldAt(felix, "spec", "bpfEnabled") === true ? { replacesKubeProxy: true } : {}),
  };
}

const pick = (spec: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    keys.flatMap((key): [string, unknown][] => {
      const value = fieldAt(spec, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
