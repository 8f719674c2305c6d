/**
 * The front door: the whole plot on one screen. Files become objects, objects a decided cluster, the cluster network state
 * in every kernel, and a question a walk through it.
 */
import { healthPortLookup } from "./agents/kube-proxy/health.ts";
import { proxiedPortLookup } from "./agents/kube-proxy/userspace/proxied-ports.ts";
import { hostsFileOf } from "./agents/kubelet/hosts-file.ts";
import { resolvConfOf } from "./agents/kubelet/resolv-conf.ts";
import { programNetwork } from "./agents/network.ts";
import { ownRulesParts } from "./agents/own-rules.ts";
import type { RulesetPart } from "./agents/ruleset.ts";
import { type Apps, createApps } from "./apps/apps.ts";
import { assumedIn } from "./assumed.ts";
import { hasAssumedDns, withAssumedDns } from "./cluster/assumed-dns.ts";
import type { Cluster, ClusterNode } from "./cluster/cluster.ts";
import { decideCluster } from "./cluster/decide.ts";
import { createCounsellor, type Reopen } from "./counsel.ts";
import { parseIptablesSave } from "./dialects/iptables-save.ts";
import type { World } from "./linux/netns.ts";
import { createRun } from "./linux/run.ts";
import { type Input, type InputRequest, readInput } from "./manifests/input.ts";
import { notModelledIn } from "./not-modelled.ts";
import { type CauseTable, createCauseTable } from "./objects/cause.ts";
import { asRelease } from "./release.ts";
import type { RenderContext } from "./render/context.ts";
import { describeWorld } from "./render-context.ts";
import { partyOf } from "./trace/leg.ts";
import type { Question } from "./trace/question.ts";
import type { Party, Trace } from "./trace/trace.ts";
import type { TraceNet } from "./trace/trace-net.ts";
import { traceRequest } from "./trace/trace-request.ts";

/** One input, read and decided once; every question walks through it. */
export type Session = {
  readonly input: Input;
  readonly cluster: Cluster;
  readonly causes: CauseTable;
  readonly world: World;
  readonly apps: Apps;
  readonly context: RenderContext;
  readonly trace: (question: Question) => Trace;
  /** Who SOURCE is; an unknown or ambiguous one is a UsageError. */
  readonly sourceOf: (text: string) => Party;
};

/** Reads the input and opens it for questions. Throws UsageError when nothing can be read. */
export function openCluster(request: InputRequest & { readonly namespace?: string; readonly kubernetesVersion?: string }): Session {
  const input = asRelease(readInput(request), request.kubernetesVersion); //  manifests/  what is written
  const cluster = decideWithDns(input.objects, input.topology); //            cluster/    what the control plane decides
  return sessionOf(input, cluster, request.namespace);
}

const decideWithDns: typeof decideCluster = (objects, topology) => withAssumedDns(decideCluster(objects, topology), objects);

/** Input that was read already, opened for questions. */
export const openInput = (input: Input, namespace?: string): Session =>
  sessionOf(input, decideWithDns(input.objects, input.topology), namespace);

/** The network of a decided cluster, ready to be asked. */
export function sessionOf(input: Input, cluster: Cluster, namespace = "default"): Session {
  const causes = createCauseTable();
  const world = programNetwork(cluster, causes, { ownRules }); //             agents/     what each node's daemons put in
  const files = {
    resolvConf: (pod: Cluster["pods"][number]) => resolvConfOf(cluster, pod),
    hostsFile: (pod: Cluster["pods"][number]) => hostsFileOf(cluster, pod),
  };
  const daemons = { proxiedPorts: proxiedPortLookup(cluster, causes), healthPorts: healthPortLookup(cluster, causes) };
  const apps = createApps(cluster, causes, files, daemons); //                apps/       what processes answer
  const decide = hasAssumedDns(cluster) ? decideWithDns : decideCluster;
  const reopen: Reopen = ({ objects = input.objects, topology = input.topology }) =>
    sessionOf({ ...input, objects, topology }, decide(objects, topology), namespace);
  const counsellor = createCounsellor(() => session, reopen); //              advice/     what to change, when it fails
  const session: Session = {
    input,
    cluster,
    causes,
    world,
    apps,
    context: { ...describeWorld(input, cluster, causes, world), advice: counsellor.advice },
    sourceOf: (text) => partyOf(apps.source(text, namespace)),
    trace: (question) => {
      const startRun: TraceNet["startRun"] = (choose, before) =>
        createRun(world, choose, { evidence: question.evidence, ...(before ? { before } : {}) });
      const walked = traceRequest({ world, apps, startRun }, question); //    trace/      what the kernels (linux/) then do
      const trace: Trace = {
        ...walked,
        warnings: [...walked.warnings, ...notModelledIn(input.diagnostics, cluster, walked)],
        assumed: [...walked.assumed, ...assumedIn(cluster, input.topology, walked)],
      };
      counsellor.remember(question, trace);
      return trace;
    },
  };
  return session;
}

/** A node's own rules, from the file its topology names; what the grammar does not cover stays `unknown` in them. */
function ownRules(node: ClusterNode): readonly RulesetPart[] {
  if (!node.ownRules) return [];
  const parsed = parseIptablesSave(node.ownRules.text, node.ownRules.file);
  return ownRulesParts(4, parsed.tables);
}
