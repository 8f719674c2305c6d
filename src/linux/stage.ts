/** The stages of the kernel's packet path. Each answers the next one; `kernel.ts` drives, so that no stage calls another. */
import type { Ip } from "../net/address.ts";
import type { Link, Netns, NetnsId, Route } from "./netns.ts";
import type { End } from "./step.ts";

export type Stage =
  /** A frame came in by a device (netif_receive_skb). */
  | { readonly at: "receive"; readonly netns: NetnsId; readonly dev: string }
  /** IP takes it (ip_rcv): PREROUTING, then routing. `dev` is the bridge for what a bridge hands up. */
  | { readonly at: "ip-input"; readonly netns: NetnsId; readonly dev: string }
  /** Routed onwards (ip_forward). */
  | { readonly at: "forward"; readonly netns: NetnsId; readonly dev: string; readonly route: Route }
  /** For this stack itself (ip_local_deliver). */
  | { readonly at: "local-in"; readonly netns: NetnsId; readonly dev: string }
  /** Made by this stack (ip_local_out). */
  | { readonly at: "local-out"; readonly netns: NetnsId; readonly route: Route }
  /** Leaves IP by a route (ip_output): POSTROUTING, then the neighbour. */
  | { readonly at: "ip-output"; readonly netns: NetnsId; readonly route: Route }
  /** A frame is sent on a device, to `flight.target` where the wire has several listeners (dev_queue_xmit). */
  | { readonly at: "transmit"; readonly netns: NetnsId; readonly dev: string; readonly mac: string }
  | { readonly at: "end"; readonly end: End };

/** A hook took the packet and sends it on by another way (NF_STOLEN). */
export type Stolen = { readonly kind: "stolen"; readonly next: Stage };

export const ended = (end: End | Stolen): Stage => (end.kind === "stolen" ? end.next : { at: "end", end });

/** A netns with one of its devices, found. */
export type Where = { readonly netns: Netns; readonly link: Link };

/** The address that the neighbour table is asked for. */
export const nexthopOf = (route: Route, dst: Ip): Ip => route.via ?? dst;
