/**
 * What the renderers must be told, because a Trace is free of Kubernetes and of files: who a netns is, which object and
 * line a cause stands for, how a rule reads. The front door answers; a place is looked up only when a line is printed.
 */
import type { Link, NetnsId, Route } from "../linux/netns.ts";
import type { RuleRef } from "../linux/step.ts";
import type { CauseId } from "../net/cause.ts";
import type { ObjectRef } from "../objects/api.ts";
import type { CauseRole } from "../objects/cause.ts";
import type { Path } from "../trace/trace.ts";

export type NetnsView = {
  readonly title: string; // "k8s-node2", "default/tomcat6-…", "client"
  readonly kind: "node" | "pod" | "host";
  readonly note?: string; // "Deployment tomcat6"; default: what the kind is
  readonly place?: string; // "deploy.yaml:1:1"
};

export type CauseView = {
  readonly role: CauseRole;
  readonly object?: ObjectRef;
  readonly place?: string; // "service.yaml:12:7"
  readonly note?: string; // a short sentence for people
};

/** One thing the reader could change, with the real names. `outcome`: what the same request then gave when it was walked. */
export type Advice = { readonly text: string; readonly place?: string; readonly outcome?: string; readonly walked: boolean };
/** Why it failed, as sentences without full stop and where each is written, and what to change. */
export type Counsel = {
  readonly because: readonly { readonly text: string; readonly place?: string }[];
  readonly advice: readonly Advice[];
};

export type RenderContext = {
  readonly generator?: { readonly name: string; readonly version: string };
  readonly describe: (netns: NetnsId) => NetnsView;
  /** undefined: nothing in the input made it. */
  readonly cause: (id: CauseId) => CauseView | undefined;
  /** "-A KUBE-SVC-… -j KUBE-SEP-…", as iptables-save prints it. */
  readonly ruleText: (ref: RuleRef) => string;
  /** "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink", as `ip route` prints it. */
  readonly routeText: (route: Route) => string;
  /** The link itself, for the connectors: what kind of cable leaves the stack there. */
  readonly link: (netns: NetnsId, dev: string) => Link | undefined;
  /** The network of a device on an Ethernet segment: "10.0.2.0/24". */
  readonly segmentOf: (netns: NetnsId, dev: string) => string | undefined;
  /** What decided and what to change, when more is known than the reason's general advice. */
  readonly advice?: (path: Path) => Counsel | undefined;
};
