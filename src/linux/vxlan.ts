/**
 * VXLAN: a frame becomes the payload of a new UDP packet of this machine, which runs its own OUTPUT and POSTROUTING.
 * Facts: drivers/net/vxlan/vxlan_core.c, RFC 7348. The mark stays on the buffer through encapsulation (no netns is
 * crossed); the source port is a hash of the inner flow. Not modelled: learning, multicast groups.
 */
import { familyOf } from "../net/address.ts";
import type { Packet } from "../net/packet.ts";
import { addSeen, addStep, dropped, type Flight } from "./flight.ts";
import type { Link, LinkKind, Netns } from "./netns.ts";
import { defaultTtl, lookupRoute } from "./route.ts";
import { ended, type Stage } from "./stage.ts";

type Vxlan = LinkKind & { readonly kind: "vxlan" };

/** vxlan_xmit: the forwarding entry of the destination MAC says which machine; without one the frame is lost. */
export function encapsulate(flight: Flight, netns: Netns, link: Link, vxlan: Vxlan, mac: string): Stage {
  const fdb = netns.fdb.find((entry) => entry.dev === link.name && entry.mac === mac);
  if (!fdb) return ended(dropped(flight, netns.id, "no-tunnel-peer", `${link.name} has no forwarding entry for ${mac}`));
  const outer: Packet = {
    family: familyOf(fdb.dst),
    protocol: "udp",
    src: vxlan.local,
    sport: flight.run.nextSymbol("vport"),
    dst: fdb.dst,
    dport: vxlan.port,
    ttl: defaultTtl(netns, familyOf(fdb.dst)),
    segment: { kind: "datagram" },
    inner: { vni: vxlan.vni, dstMac: mac, packet: flight.packet },
  };
  const route = lookupRoute(netns, fdb.dst);
  if (!route || (route.type !== "unicast" && route.type !== "local"))
    return ended(dropped(flight, netns.id, "no-tunnel-peer", `no route to the tunnel's far end ${fdb.dst}`));
  addStep(flight, { kind: "encap", dev: link.name, vni: vxlan.vni, outer, fdb });
  flight.packet = outer;
  flight.tracked = undefined;
  flight.physIn = undefined;
  return { at: "local-out", netns: netns.id, route };
}

/**
 * vxlan_rcv: the tunnel device of this network id takes the payload, if the inner frame is addressed to it. vxlan_find_sock:
 * a device listens on a socket of its underlay's family alone, so one for IPv4 and one for IPv6 share an id and a port.
 */
export function decapsulate(flight: Flight, netns: Netns): Stage {
  const { inner, dport, family } = flight.packet;
  const link = netns.links.find(
    ({ type }) => type.kind === "vxlan" && type.vni === inner?.vni && type.port === dport && familyOf(type.local) === family,
  );
  if (!inner || !link?.up) return ended(dropped(flight, netns.id, "no-tunnel-peer", "no VXLAN device takes this packet"));
  flight.packet = inner.packet;
  flight.tracked = undefined;
  addStep(flight, { kind: "decap", dev: link.name });
  addSeen(flight, link.name, "in");
  if (inner.dstMac !== link.mac)
    return ended(
      dropped(flight, netns.id, "no-tunnel-peer", `the inner frame is addressed to ${inner.dstMac}, ${link.name} is ${link.mac}`),
    );
  return { at: "ip-input", netns: netns.id, dev: link.name };
}
