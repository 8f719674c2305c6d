/** kind's own network daemon: the environment of its DaemonSet says the pod range (kind images/kindnetd). */
import { parseCidr } from "../../net/address.ts";
import type { ApiObject, Container } from "../../objects/api.ts";
import type { CniFacts } from "./cni.ts";

/** POD_SUBNET is one range, or one of each family. */
export function readKindnet(objects: readonly ApiObject[]): CniFacts {
  const containers = objects.flatMap((object): readonly Container[] => {
    if (object.kind === "DaemonSet" && object.metadata.name === "kindnet") return object.spec?.template?.spec?.containers ?? [];
    return object.kind === "Pod" && /^kindnet-/.test(object.metadata.name) ? (object.spec?.containers ?? []) : [];
  });
  const subnet = containers.flatMap(({ env = [] }) => env).find(({ name }) => name === "POD_SUBNET")?.value;
  const podCIDRs = (subnet ?? "").split(",").filter((text) => parseCidr(text) !== undefined);
  return { cni: { plugin: "kindnet" }, ...(podCIDRs.length > 0 ? { podCIDRs } : {}) };
}
