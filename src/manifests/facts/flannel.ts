/**
 * flannel's configuration: ConfigMap kube-flannel-cfg (`net-conf.json`, `cni-conf.json`), flanneld's flags, and what each
 * flanneld wrote on its Node (flannel-io/flannel Documentation/configuration.md, pkg/subnet/kube).
 */
import { parseCidr } from "../../net/address.ts";
import type { ApiObject, Container } from "../../objects/api.ts";
import { fieldAt, listAt, textAt } from "../../objects/record.ts";
import type { CniSettings } from "../../objects/topology.ts";
import type { CniFacts } from "./cni.ts";
import { configMapsNamed, flagOf, mappingIn } from "./texts.ts";

export const FLANNEL_ANNOTATION = "flannel.alpha.coreos.com";
/** Backend keys that decide about packets, in their types. */
const BACKEND_KEYS = { VNI: "number", Port: "number", MTU: "number", DirectRouting: "boolean" } as const;

/** Its settings; keys under the names that net-conf.json gives them. */
export function readFlannel(objects: readonly ApiObject[]): CniFacts {
  const [config] = configMapsNamed(objects, /^(kube-flannel-cfg|canal-config)$/);
  const net = config && mappingIn(config, "net-conf.json");
  const cni = config && mappingIn(config, "cni-conf.json");
  const backend = textAt(net, "Backend", "Type") || annotatedBackend(objects);
  const networks = [textAt(net, "Network"), textAt(net, "IPv6Network")].filter((text) => parseCidr(text) !== undefined);
  const iface = ifaceFlag(objects);
  return {
    cni: {
      plugin: "flannel",
      ...(backend === "" ? {} : { backend }),
      ...Object.fromEntries(Object.entries(BACKEND_KEYS).flatMap(([key, type]) => typed(key, fieldAt(net, "Backend", key), type))),
      ...pluginKeys(cni),
      ...(iface === undefined ? {} : { iface }),
    },
    ...(networks.length > 0 ? { podCIDRs: networks } : {}),
  };
}

const typed = (key: string, value: unknown, type: string): [string, unknown][] => (typeof value === type ? [[key, value]] : []);

const annotatedBackend = (objects: readonly ApiObject[]): string =>
  objects
    .map((object) => (object.kind === "Node" ? textAt(object.metadata.annotations, `${FLANNEL_ANNOTATION}/backend-type`) : ""))
    .find((type) => type !== "") ?? "";

/** The conflist's chain: the delegate's hairpin mode and bridge, and whether portmap is in it. */
function pluginKeys(conflist: unknown): Pick<CniSettings, "hairpinMode" | "bridge" | "portmap"> {
  const plugins = listAt(conflist, "plugins");
  if (plugins.length === 0) return {};
  const delegate = fieldAt(
    plugins.find((each) => textAt(each, "type") === "flannel"),
    "delegate",
  );
  const hairpinMode = fieldAt(delegate, "hairpinMode");
  const bridge = textAt(delegate, "bridge");
  const portmap = plugins.some((each) => textAt(each, "type") === "portmap");
  return {
    ...(typeof hairpinMode === "boolean" ? { hairpinMode } : {}),
    ...(bridge === "" ? {} : { bridge }),
    ...(portmap ? {} : { portmap }),
  };
}

/** flanneld's `--iface`; the same on every node, as it is one DaemonSet. */
function ifaceFlag(objects: readonly ApiObject[]): string | undefined {
  const containers = objects.flatMap((object): readonly Container[] => {
    if (object.kind === "DaemonSet") return object.spec?.template?.spec?.containers ?? [];
    return object.kind === "Pod" && /flannel/.test(object.metadata.name) ? (object.spec?.containers ?? []) : [];
  });
  return containers
    .filter(({ name, image = "" }) => /flannel/.test(name) || /flannel/.test(image))
    .map((container) => flagOf(container, "--iface"))
    .find((value) => value !== undefined && value !== "");
}
