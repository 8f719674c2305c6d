/**
 * The cluster's own settings as a dump shows them: kubeadm's ClusterConfiguration (ConfigMap kube-system/kubeadm-config,
 * kubeadm/app/apis/kubeadm), the flags of the control plane's static pods, ServiceCIDR objects, kubelets' configuration
 * (ConfigMap kube-system/kubelet-config), the kube-dns Service, and the releases that nodes report.
 */
import { parseCidr, parseIp } from "../../net/address.ts";
import type { ApiObject } from "../../objects/api.ts";
import { fieldAt, listAt, textAt, textsAt } from "../../objects/record.ts";
import type { Topology } from "../../objects/topology.ts";
import type { YamlMapping } from "../yaml/construct.ts";
import { componentPods, configMapsNamed, flagOf, mappingIn } from "./texts.ts";

type Kubernetes = NonNullable<Topology["kubernetes"]>;

/** What the input states; a value that is none of its kind is passed over. */
export function readKubernetes(objects: readonly ApiObject[], settings: readonly YamlMapping[]): Kubernetes {
  const kubeadm = configMapsNamed(objects, /^kubeadm-config$/).map((config) => mappingIn(config, "ClusterConfiguration"))[0];
  const kubelet = configMapsNamed(objects, /^kubelet-config(-1\.\d+)?$/).map((config) => mappingIn(config, "kubelet"))[0];
  const podCIDRs =
    cidrs(textAt(kubeadm, "networking", "podSubnet")) ??
    cidrs(extraArg(kubeadm, "controllerManager", "cluster-cidr")) ??
    cidrs(componentFlag(objects, "kube-controller-manager", "--cluster-cidr"));
  const serviceCIDRs =
    cidrs(textAt(kubeadm, "networking", "serviceSubnet")) ??
    cidrs(extraArg(kubeadm, "apiServer", "service-cluster-ip-range")) ??
    cidrs(componentFlag(objects, "kube-apiserver", "--service-cluster-ip-range")) ??
    cidrs(serviceCidrObjects(settings));
  const nodePortRange = portRange(
    extraArg(kubeadm, "apiServer", "service-node-port-range") ?? componentFlag(objects, "kube-apiserver", "--service-node-port-range"),
  );
  const clusterDomain = textAt(kubelet, "clusterDomain") || textAt(kubeadm, "networking", "dnsDomain");
  const clusterDNS = addresses(textsAt(kubelet, "clusterDNS")) ?? dnsService(objects);
  const version = releaseOf(objects, kubeadm);
  return {
    ...(version === undefined ? {} : { version }),
    ...(clusterDomain === "" ? {} : { clusterDomain }),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(serviceCIDRs === undefined ? {} : { serviceCIDRs }),
    ...(nodePortRange === undefined ? {} : { nodePortRange }),
    ...(clusterDNS === undefined ? {} : { clusterDNS }),
  };
}

/** `extraArgs` is a map up to v1beta3, a list of name and value from v1beta4. */
function extraArg(kubeadm: YamlMapping | undefined, component: string, name: string): string | undefined {
  const listed = listAt(kubeadm, component, "extraArgs").find((each) => textAt(each, "name") === name);
  return textAt(listed, "value") || textAt(kubeadm, component, "extraArgs", name) || undefined;
}

const componentFlag = (objects: readonly ApiObject[], component: string, flag: string): string | undefined =>
  componentPods(objects, component)
    .map((pod) => flagOf(pod.spec?.containers?.[0], flag))
    .find((value) => value !== undefined);

/** networking.k8s.io ServiceCIDR: the one called `kubernetes` holds the API server's own ranges. */
const serviceCidrObjects = (settings: readonly YamlMapping[]): string =>
  settings
    .filter((object) => object.kind === "ServiceCIDR" && textAt(object, "metadata", "name") === "kubernetes")
    .flatMap((object) => textsAt(object, "spec", "cidrs"))
    .join(",");

function cidrs(text: string | undefined): readonly string[] | undefined {
  const parts = (text ?? "").split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  return parts.length > 0 && parts.every((part) => part.includes("/") && parseCidr(part)) ? parts : undefined;
}

function addresses(texts: readonly string[]): readonly string[] | undefined {
  return texts.length > 0 && texts.every((text) => parseIp(text) !== undefined) ? texts : undefined;
}

const portRange = (text: string | undefined): string | undefined => (/^\d{1,5}-\d{1,5}$/.test(text ?? "") ? text : undefined);

/** The address of a live cluster's Service kube-dns. A manifest's says what someone wants, not what kubelets were told. */
function dnsService(objects: readonly ApiObject[]): readonly string[] | undefined {
  const [service] = objects.flatMap((object) =>
    object.kind === "Service" && object.metadata.namespace === "kube-system" && object.metadata.name === "kube-dns" && object.metadata.uid
      ? [object]
      : [],
  );
  return addresses(service?.spec?.clusterIPs ?? (service?.spec?.clusterIP ? [service.spec.clusterIP] : []));
}

/** kube-proxy's and the API server's release decide what is programmed; nodes report their kubelet's, the oldest counts. */
function releaseOf(objects: readonly ApiObject[], kubeadm: YamlMapping | undefined): string | undefined {
  const ofKubeadm = textAt(kubeadm, "kubernetesVersion");
  if (isRelease(ofKubeadm)) return plain(ofKubeadm);
  const images = componentPods(objects, "kube-apiserver").flatMap((pod) => pod.spec?.containers?.[0]?.image ?? []);
  const tag = images.map((image) => image.slice(image.lastIndexOf(":") + 1)).find(isRelease);
  if (tag !== undefined) return plain(tag);
  const kubelets = objects.flatMap((object) => {
    const version = object.kind === "Node" ? fieldAt(object.status, "nodeInfo", "kubeletVersion") : undefined;
    return typeof version === "string" && isRelease(version) ? [plain(version)] : [];
  });
  return [...kubelets].sort(byRelease)[0];
}

const isRelease = (text: string): boolean => /^v?1\.\d{1,3}(\.\d{1,4})?([-+][\w.+-]*)?$/.test(text);
const plain = (text: string): string => text.replace(/^v/, "");

const byRelease = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => text.split(/[.+-]/).map(Number));
  for (const at of [1, 2]) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
};
