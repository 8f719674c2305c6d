/** A verification for people, and as a document of kind Verification (schema/verification.schema.json). */
import type { RenderContext } from "../../render/context.ts";
import { escapeJson, escapeText } from "../../render/escape.ts";
import type { Question } from "../../trace/question.ts";
import type { Trace } from "../../trace/trace.ts";
import type { Captures } from "../../verify/capture.ts";
import type { Difference, Foreign } from "../../verify/difference.ts";
import type { Verification } from "../../verify/verify.ts";

type Unread = Captures["unread"];

/** Differences of one cause that are shown one by one; `-v` shows all. */
const MOST = 5;

export function verificationText(
  done: Verification,
  context: RenderContext,
  question: Question | undefined,
  unread: Unread,
  all: boolean,
): string {
  const lines = [
    `verify ${escapeText(context.describe(done.node).title)}: ${done.captures.map(({ format, file, line }) => `${format} (${escapeText(file)}:${line})`).join(", ")}`,
    ...(question ? [`packet: ${packetOf(done, question)}`] : []),
    "",
    ...(done.first ? ["FIRST DIFFERENCE on its way", ...differenceLines(done.first, context), ""] : []),
    ...groups(
      done.first ? done.differences.filter((each) => each !== done.first) : done.differences,
      context,
      all,
      done.first !== undefined,
    ),
    ...foreignLines(done.foreign),
    ...done.notes.map((note) => `note: ${escapeText(note)}`),
    ...unreadLines(unread),
    ...walkLines(done),
    summary(done, question !== undefined),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const packetOf = ({ walks }: Verification, question: Question): string => {
  const from = walks?.predicted.request.from.name ?? question.from ?? "";
  const { host, port, protocol } = question.to;
  return escapeText(`${from} -> ${host}${port === undefined ? "" : `:${port}`} (${protocol})`);
};

function differenceLines(difference: Difference, context: RenderContext): string[] {
  const { predicted, found, likely, at, where, area, kind } = difference;
  const because = difference.cause === undefined ? undefined : context.cause(difference.cause);
  const object = because?.object
    ? `${because.object.kind} ${because.object.namespace === undefined ? "" : `${because.object.namespace}/`}${because.object.name}`
    : undefined;
  const source = [object, because?.place].filter((each) => each !== undefined).join(", ");
  return [
    `  ${escapeText(where)}: ${AREAS[area]} ${kind}`,
    ...textLines("predicted", predicted),
    ...(source === "" ? [] : [`             from ${escapeText(source)}`]),
    ...textLines("found", found),
    ...(at ? [`             at ${escapeText(at.file)}:${at.line}`] : []),
    `  likely     ${escapeText(likely)}`,
  ];
}

const AREAS: Readonly<Record<Difference["area"], string>> = {
  rule: "rule",
  chain: "chain",
  policy: "policy",
  route: "route",
  address: "address",
  link: "device",
  neighbour: "neighbour entry",
  fdb: "forwarding entry",
  connection: "connection",
  packet: "way of the packet",
};

const textLines = (title: string, text: string | undefined): string[] =>
  text === undefined ? [] : text.split("\n").map((line, i) => `  ${(i === 0 ? title : "").padEnd(10)} ${escapeText(line)}`);

/** Those of one likely cause together, the largest group first. */
function groups(differences: readonly Difference[], context: RenderContext, all: boolean, isRest: boolean): string[] {
  const byCause = new Map<string, Difference[]>();
  for (const difference of differences) byCause.set(difference.likely, [...(byCause.get(difference.likely) ?? []), difference]);
  const sorted = [...byCause.values()].sort((a, b) => b.length - a.length);
  return [
    ...(isRest && sorted.length > 0 ? [`${differences.length} more on its way`] : []),
    ...sorted.flatMap((group) => groupLines(group, context, all)),
  ];
}

function groupLines(group: readonly Difference[], context: RenderContext, all: boolean): string[] {
  const shown = all ? group : group.slice(0, MOST);
  const left = group.length - shown.length;
  return [
    ...shown.flatMap((difference) => differenceLines(difference, context).slice(0, -1)),
    ...(left > 0 ? [`  … and ${left} more of the kind (-v shows them)`] : []),
    `  likely     ${escapeText(group[0]?.likely ?? "")}`,
    "",
  ];
}

function foreignLines(foreign: readonly Foreign[]): string[] {
  if (foreign.length === 0) return [];
  const unknown = foreign.flatMap(({ where, notUnderstood }) =>
    notUnderstood.map((text) => `  not understood, ${escapeText(where)}: ${escapeText(text)}`),
  );
  const names = foreign.map(({ where, owner, count }) => `${escapeText(where)} (${count}${owner === undefined ? "" : `, ${owner}`})`);
  return [
    `foreign, ${unknown.length === 0 ? "understood and" : "mostly understood,"} part of the node here: ${names.join("; ")}`,
    ...unknown,
    "",
  ];
}

function unreadLines(unread: Unread): string[] {
  const [first] = unread;
  if (!first) return [];
  const more = unread.length > 1 ? `, and ${unread.length - 1} more lines` : "";
  return [`note: ${escapeText(first.file)}:${first.line} belongs to no known output${more}: ${escapeText(first.text.slice(0, 100))}`];
}

function walkLines({ walks }: Verification): string[] {
  if (!walks) return [];
  return [`predicted   ${outcome(walks.predicted)}`, `as captured ${outcome(walks.captured)}`];
}

/** `delivered: default/tomcat6-… 1/3, …`. */
function outcome({ verdict, paths }: Trace): string {
  const ends = new Set(
    paths.map(({ verdict: end, reason, destination }) => {
      const name = destination ? `${destination.namespace === undefined ? "" : `${destination.namespace}/`}${destination.name}` : "";
      return end === "delivered" ? name : `${name === "" ? "" : `${name} `}${end}${reason === undefined ? "" : ` (${reason})`}`;
    }),
  );
  return `${verdict}: ${[...ends].map(escapeText).join(", ")}`;
}

function summary(done: Verification, asked: boolean): string {
  const elsewhere =
    done.elsewhere === 0 ? "" : `; ${done.elsewhere} difference${done.elsewhere === 1 ? "" : "s"} elsewhere do not touch it`;
  if (done.equal) return asked ? `EQUAL on the way of this packet${elsewhere}` : "EQUAL";
  const count = done.differences.length;
  return `DIFFERENT: ${count} difference${count === 1 ? "" : "s"}${asked ? " on the way of this packet" : ""}${elsewhere}`;
}

export function verificationJson(done: Verification, context: RenderContext, question: Question | undefined, unread: Unread): string {
  const document = {
    apiVersion: "ktrace.dev/v1alpha1",
    kind: "Verification",
    ...(context.generator ? { generator: context.generator } : {}),
    node: context.describe(done.node).title,
    captures: done.captures.map(({ format, file, line }) => ({ format, file, line })),
    ...(question ? { request: { from: done.walks?.predicted.request.from.name ?? question.from ?? null, to: question.to } } : {}),
    equal: done.equal,
    first: done.first ? differenceJson(done.first, context) : null,
    differences: done.differences.map((difference) => differenceJson(difference, context)),
    elsewhere: done.elsewhere,
    foreign: done.foreign.map(({ where, owner, count, notUnderstood }) => ({
      where,
      ...(owner === undefined ? {} : { owner }),
      count,
      notUnderstood,
    })),
    ...(done.walks ? { verdicts: { predicted: done.walks.predicted.verdict, captured: done.walks.captured.verdict } } : {}),
    flows: done.flows,
    notes: done.notes,
    unread,
  };
  return `${escapeJson(JSON.stringify(document, null, 2))}\n`;
}

function differenceJson({ keys: _, cause, ...difference }: Difference, context: RenderContext) {
  const because = cause === undefined ? undefined : context.cause(cause);
  return {
    ...difference,
    ...(because?.object ? { object: { ...because.object, ...(because.place === undefined ? {} : { at: because.place }) } } : {}),
  };
}
