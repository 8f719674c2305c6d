/**
 * The network interfaces that a Node object lets one infer: its InternalIPs on eth0, all nodes on one network; a second one
 * when flanneld announces another address (flannel.alpha.coreos.com/public-ip); the MAC of flannel's VXLAN device, which is
 * random and which only its annotation tells (flannel pkg/subnet/kube, pkg/backend/vxlan). All but the addresses is assumed.
 */
import { type Cidr, cidrContains, type Family, familyOf, formatCidr, type Ip, parseIp } from "../../net/address.ts";
import type { Node } from "../../objects/api.ts";
import { fieldAt, textAt } from "../../objects/record.ts";
import type { Topology, TopologyInterface } from "../../objects/topology.ts";
import { addressesOfType, NODE_MASK, type Sketch } from "./node-sketch.ts";

const FLANNEL = "flannel.alpha.coreos.com";
/** Wider networks than these are not what node networks look like; a router then stands between the nodes. */
const WIDEST: Readonly<Record<Family, number>> = { 4: 8, 6: 32 };

/** The network that holds every address of a family, no longer than the usual mask: what nodes that reach each other share. */
export function commonLength(addresses: readonly Ip[], family: Family): number {
  const own = addresses.filter((ip) => familyOf(ip) === family);
  const [first] = own;
  if (first === undefined) return NODE_MASK[family];
  for (let length = NODE_MASK[family]; length >= WIDEST[family]; length--)
    if (own.every((ip) => cidrContains({ ip: first, length }, ip))) return length;
  return NODE_MASK[family];
}

/** What flannel announced for this node, when that is none of its InternalIPs. */
function flannelAddress(object: Node): Ip | undefined {
  const text = textAt(object.metadata.annotations, `${FLANNEL}/public-ip`);
  const ip = parseIp(text);
  return ip !== undefined && !addressesOfType(object, "InternalIP").includes(ip) ? ip : undefined;
}

/**
 * With `--iface` flannel's interface was chosen by hand, so the kubelet's is the default route's; without it flannel took the
 * default route's, so the kubelet's was chosen by hand (`--node-ip`).
 */
export function interfaceReader(all: readonly Sketch[], topology: Topology): (sketch: Sketch) => TopologyInterface[] {
  const objects = all.flatMap((each) => each.object ?? []);
  const ownLength = lengthsOf(objects.flatMap((each) => addressesOfType(each, "InternalIP")));
  const otherLength = lengthsOf(objects.flatMap((each) => flannelAddress(each) ?? []));
  const { iface } = topology.cni ?? {};
  return ({ object }) => {
    const internal = object ? addressesOfType(object, "InternalIP") : [];
    if (!object || internal.length === 0) return [];
    const own = withLength(internal, ownLength);
    const other = withLength([flannelAddress(object) ?? []].flat(), otherLength);
    return [
      ...named(
        other.length === 0
          ? { eth0: own }
          : iface === undefined
            ? { eth0: other, eth1: own }
            : { eth0: own, [interfaceName(iface)]: other },
      ),
      ...tunnelDevices(object),
    ];
  };
}

const named = (interfaces: Readonly<Record<string, readonly Cidr[]>>): TopologyInterface[] =>
  Object.entries(interfaces).map(([name, addresses]) => ({ name, addresses: addresses.map(formatCidr) }));

/** `--iface` may also be an address or an expression; then the name is not known. */
const interfaceName = (iface: string): string =>
  /^[a-z][\w.-]{0,14}$/i.test(iface) && parseIp(iface) === undefined && iface !== "eth0" ? iface : "eth1";

type Lengths = Readonly<Record<Family, number>>;
const lengthsOf = (peers: readonly Ip[]): Lengths => ({ 4: commonLength(peers, 4), 6: commonLength(peers, 6) });
const withLength = (addresses: readonly Ip[], lengths: Lengths): Cidr[] => addresses.map((ip) => ({ ip, length: lengths[familyOf(ip)] }));

/** `{"VNI":1,"VtepMAC":"…"}`: listed without addresses, an interface of the CNI plugin's only pins its MAC. */
function tunnelDevices(object: Node): TopologyInterface[] {
  return [
    ["backend-data", "flannel"],
    ["backend-v6-data", "flannel-v6"],
  ].flatMap(([key, device]): TopologyInterface[] => {
    const data = parsed(textAt(object.metadata.annotations, `${FLANNEL}/${key}`));
    const [mac, vni] = [textAt(data, "VtepMAC"), fieldAt(data, "VNI")];
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) return [];
    return [{ name: `${device}.${typeof vni === "number" ? vni : 1}`, mac: mac.toLowerCase() }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // another tool's annotation of that name
  }
}
