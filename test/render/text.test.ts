import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fraction } from "../../src/net/fraction.ts";
import type { RenderContext } from "../../src/render/context.ts";
import { type Paint, PLAIN } from "../../src/render/paint.ts";
import { textWidth } from "../../src/render/text/spans.ts";
import { renderText, type TextOptions } from "../../src/render/text.ts";
import type { Path, Trace } from "../../src/trace/trace.ts";
import {
  CONTEXT,
  dropTrace,
  evidenceTrace,
  ingressTrace,
  mixedTrace,
  nodePortTrace,
  noRouteTrace,
  SAMPLES,
  unansweredTrace,
} from "./sample-trace.ts";

const OPTIONS: TextOptions = { width: 100, depth: "default", paint: PLAIN, ascii: false, allPaths: false };
const show = (trace: Trace, options: Partial<TextOptions> = {}, context: RenderContext = CONTEXT) =>
  renderText(trace, context, { ...OPTIONS, ...options });

const says = [
  { name: "question first", trace: nodePortTrace, line: /^curl http:\/\/node2:31160\/ {3}from client 192\.168\.56\.1\n/ },
  {
    name: "the rewrite, its Service and its place",
    trace: nodePortTrace,
    line: /\n {2}dnat {4}dst 192\.168\.56\.101:31160 → 10\.244\.2\.10:8080 {4}Service default\/tomcat6 {3}service\.yaml:12:7\n/,
  },
  {
    name: "the entrance, the chance, the chains",
    trace: nodePortTrace,
    line: /node port 31160; 1 of 3 by chance +KUBE-EXT > KUBE-SVC > KUBE-SEP-DCOFR52QIAIPCXLS\n/,
  },
  {
    name: "why it is masqueraded, and by whom",
    trace: nodePortTrace,
    line: /snat {4}src 192\.168\.56\.1:c → 10\.244\.1\.0:m1 +externalTrafficPolicy Cluster +service\.yaml:9:3\n.*the address of flannel\.1 +KUBE-EXT asks, then KUBE-POSTROUTING\n/,
  },
  {
    name: "the TTL beside the route that cost it",
    trace: nodePortTrace,
    line: /route {3}10\.244\.2\.0\/24 via 10\.244\.2\.0 dev flannel\.1 +flannel: pods of k8s-node3 +ttl 63\n/,
  },
  {
    name: "both devices and the network between",
    trace: nodePortTrace,
    line: /eth0 ──── 10\.0\.2\.0\/24 ──── eth0 +inside a VXLAN packet/,
  },
  { name: "a veth with its bridge", trace: nodePortTrace, line: /vethtom2 \(port of cni0\) ──── eth0/ },
  {
    name: "the reply in one line",
    trace: nodePortTrace,
    line: /\nreply {5}pod › k8s-node3 › k8s-node2 \(undoes both rewrites\) › client {2}from 192\.168\.56\.101:31160 {2}ok\n/,
  },
  {
    name: "the alternatives",
    trace: nodePortTrace,
    line: /\n {2}1\/3 {2}10\.244\.1\.11:8080 {2}k8s-node2 {2}10\.244\.1\.1 {3}63 {2}delivered {2}tomcat6-8jxz7 {2}same node\n {2}1\/3 {2}10\.244\.2\.10:8080 .* shown above\n/,
  },
  { name: "the verdict counts the ways", trace: nodePortTrace, line: /\n\ndelivered \(3 of 3 ways\): / },
  {
    name: "the surprising fact",
    trace: nodePortTrace,
    line: /The pods see 10\.244\.1\.1 or 10\.244\.1\.0 \(k8s-node2\), not 192\.168\.56\.1/,
  },
  { name: "what would keep the address", trace: nodePortTrace, line: /externalTrafficPolicy: Local/ },
  {
    name: "assumptions last",
    trace: nodePortTrace,
    line: /\nAssumed: k8s-node2 has a default route by 10\.0\.2\.2 \(spec\.nodes\[1\]\.routes\)\n$/,
  },
  {
    name: "policy Local: the match and the missing rewrite",
    trace: dropTrace,
    line: /match {3}node port 31160 .*service\.yaml:12:7\n {2}no nat {2}KUBE-EXT-74O5I7DKKBRLVTFF has no endpoint/,
  },
  {
    name: "policy Local: where it dies",
    trace: dropTrace,
    line: /DROP {4}filter KUBE-EXTERNAL-SERVICES "default\/tomcat6 has no local endpoints"/,
  },
  { name: "policy Local: what the client prints", trace: dropTrace, line: /curl prints {2}curl: \(28\).*exit 28\n/ },
  { name: "policy Local: what to change", trace: dropTrace, line: /What to change:\n {2}1 {2}Ask a node that runs a pod/ },
  {
    name: "no route: the sender is named",
    trace: noRouteTrace,
    line: /\nclient .*host outside the cluster\n.*\n {2}REFUSED client has no route to 10\.0\.2\.5 +no-route\n/,
  },
  {
    name: "the lost reply has its own block",
    trace: unansweredTrace,
    line: /\nreply {5}the answer on its way back: it never arrives\npod default\/tomcat6-gbtt5.*\n {2}send {4}10\.244\.2\.10:8080 > 10\.244\.1\.0:m1/,
  },
  { name: "the lost reply takes the advice of its own reason", trace: unansweredTrace, line: /Allow the traffic in the node's firewall/ },
  { name: "legs are numbered", trace: ingressTrace, line: /\nLEG 1 {2}client → nginx on k8s-node2\n/ },
  {
    name: "the second leg is a new connection",
    trace: ingressTrace,
    line: /\nLEG 2 {2}nginx on k8s-node2 → tomcat6:80 +a new connection, opened by the proxy\n/,
  },
  { name: "no rewrite where one is expected", trace: ingressTrace, line: /no nat {2}port 80 is no node port\n/ },
  {
    name: "the Ingress rule",
    trace: ingressTrace,
    line: /http {4}Host www\.test\.com, path \/ → tomcat6:80 +Ingress default\/web +ingress\.yaml:5:7\n/,
  },
  { name: "a second client port has its own name", trace: ingressTrace, line: /send {4}10\.0\.2\.5:c2 > 10\.96\.246\.235:80/ },
  {
    name: "source chosen before nat",
    trace: ingressTrace,
    line: /route {3}default via 10\.0\.2\.2 dev eth0 +source 10\.0\.2\.5, decided before nat\n/,
  },
  { name: "mixed: the failing way is the one told", trace: mixedTrace, line: /answer {2}RST 10\.244\.2\.11:8080 > 10\.244\.1\.0:m1/ },
  { name: "mixed: the RST on its way back", trace: mixedTrace, line: /\nreply {5}RST: pod › client .*refused\n/ },
  {
    name: "mixed: failures first",
    trace: mixedTrace,
    line: /\nrejected \(1 of 3 ways\), not-listening: .*\n.*exit 7\ndelivered \(2 of 3 ways\): /,
  },
] as const;
for (const { name, trace, line } of says) test(name, () => assert.match(show(trace), line));

test("-v prints the rules looked at, nested, why one did not match, and how many were not for this packet", () => {
  const text = show(evidenceTrace, { depth: "verbose" });
  assert.match(text, /\n {2}nat {5}PREROUTING {2}policy-accept\n {10}yes -A PREROUTING/);
  assert.match(
    text,
    /\n {12}no {2}-A KUBE-SERVICES .* \(destination port is not 443\)\n {12}yes -A KUBE-SERVICES .*\n {14}yes -A KUBE-NODEPORTS /,
  );
  assert.match(text, /\n {18}7 rules for other destinations\n {16}4 rules for other destinations\n/);
});

test("-v shows captures and the legend of symbols", () => {
  const text = show(nodePortTrace, { depth: "verbose" });
  assert.match(text, /tcpdump eth1 +In {2}192\.168\.56\.1:c > 192\.168\.56\.101:31160 SYN ttl 64\n/);
  assert.match(text, /\{10\.0\.2\.5 > 10\.0\.2\.15\}/);
  assert.match(text, /\nSymbols:\n {2}c {3}a port that the client's kernel picks/);
  assert.doesNotMatch(show(nodePortTrace), /Symbols:/);
});

test("summary keeps the order: question, way, table, verdict", () => {
  const text = show(mixedTrace, { depth: "summary" });
  assert.match(
    text,
    /^curl .*\n\nway {2}client › k8s-node2 \(dnat 10\.244\.2\.11, snat 10\.244\.1\.0, vxlan\)[\s\S]*\n\nshare [\s\S]*\n\nrejected /,
  );
  assert.ok(text.length < show(mixedTrace).length);
});

test("ASCII output is ASCII", () => {
  for (const [, trace] of SAMPLES)
    for (const depth of ["summary", "default", "verbose"] as const) assert.match(show(trace, { ascii: true, depth }), /^[\n -~]*$/);
});

test("at 100 columns no line is longer, but for rule text and what a client prints", () => {
  for (const [, trace] of SAMPLES)
    for (const one of show(trace).split("\n")) assert.ok(one.includes(" prints ") || textWidth(one) <= 100, one);
});

test("no line is wider than the terminal, but for rule text and words that cannot be broken", () => {
  for (const [name, trace] of SAMPLES)
    for (const width of [60, 80, 100, 140])
      for (const depth of ["summary", "default"] as const)
        for (const row of show(trace, { width, depth }).split("\n")) {
          const longest = Math.max(...row.trim().split(" ").map(textWidth));
          assert.ok(textWidth(row) <= Math.max(width, longest + 14), `${name} at ${width}: ${row}`);
        }
});
test("no line ends in a blank, at any width", () => {
  for (const [, trace] of SAMPLES) for (const width of [40, 60, 80, 100, 140]) assert.doesNotMatch(show(trace, { width }), / \n/);
});

test("below 100 columns the place moves to its own line and is not cut", () => {
  const text = show(nodePortTrace, { width: 60 });
  assert.match(text, /\n {2}dnat .*10\.244\.2\.10:8080\n +Service default\/tomcat6 +service\.yaml:12:7\n/);
});

test("places below one folder lose it where that saves lines, and the first line names the folder", () => {
  const below = (folder: string): RenderContext => {
    const move = <T extends { readonly place?: string }>(view: T): T =>
      view.place === undefined ? view : { ...view, place: `${folder}${view.place}` };
    return {
      ...CONTEXT,
      cause: (id) => {
        const view = CONTEXT.cause(id);
        return view && move(view);
      },
      describe: (netns) => move(CONTEXT.describe(netns)),
    };
  };
  const text = show(nodePortTrace, {}, below("fixtures/tomcat6/"));
  assert.match(text, /^curl .* +files in fixtures\/tomcat6\/\n/);
  assert.match(text, /Service default\/tomcat6 {3}service\.yaml:12:7\n/);
  assert.match(show(noRouteTrace, { width: 140 }, below("k8s/")), / k8s\/topology\.yaml:14:7\n/);
});

const columns = [
  { width: 100, header: "share  endpoint          on         pod sees    ttl  verdict    pod" },
  { width: 80, header: "share  endpoint          on         pod sees    ttl  pod" },
  { width: 70, header: "share  endpoint          on         pod sees    ttl  verdict" },
  { width: 60, header: "share  endpoint          on         pod sees    verdict" },
] as const;
for (const { width, header } of columns)
  test(`at ${width} columns the table keeps: ${header}`, () => assert.ok(show(nodePortTrace, { width }).split("\n").includes(header)));

test("all paths: each in full, the common beginning once", () => {
  const text = show(nodePortTrace, { allPaths: true });
  assert.match(text, /\nWAY 2 of 3 {2}delivered, share 1\/3\n\nclient: as above\n/);
  assert.equal(text.match(/ {2}send /g)?.length, 1);
});

test("many endpoints fold into one row for each node, their shares added", () => {
  const [, path] = nodePortTrace.paths;
  if (!path?.destination) throw new Error("sample");
  const { destination } = path;
  const paths = Array.from(
    { length: 30 },
    (_, i): Path => ({ ...path, share: fraction(1, 30), destination: { ...destination, ip: `10.244.2.${i + 10}` } }),
  );
  const text = show({ ...nodePortTrace, paths, pathsTotal: 30 });
  assert.match(text, /\n {4}1 {2}30 endpoints {2}k8s-node3 /);
  assert.match(text, /tomcat6-gbtt5 and 29 more/);
});

const code = (on: number) => (text: string) => `\u001b[${on}m${text}\u001b[0m`;
const COLOUR: Paint = { bold: code(1), dim: code(2), red: code(31), green: code(32), yellow: code(33), cyan: code(36) };
const CODES = /\u001b\[(?:0|1|2|31|32|33|36)m/g;

test("colour stands on the changed half and on the end, and changes no column", () => {
  const text = show(nodePortTrace, { paint: COLOUR });
  assert.ok(text.includes(`dst 192.168.56.101:31160 → ${COLOUR.cyan("10.244.2.10:8080")}`));
  assert.ok(text.includes(`${COLOUR.green("delivered")} (3 of 3 ways)`));
  assert.ok(show(dropTrace, { paint: COLOUR }).includes(COLOUR.red("DROP")));
  for (const [, trace] of SAMPLES) assert.equal(show(trace, { paint: COLOUR }).replace(CODES, ""), show(trace));
});

test("no control character but the newline leaves, whatever the input holds", () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u001b[31mred\u001b[0m", "a\nb", "\u202etxt.exe", "\u009b31m", "\r", "\ud800", "__proto__"),
  );
  fc.assert(
    fc.property(nasty, fc.constantFrom("summary", "default", "verbose"), fc.integer({ min: 20, max: 140 }), (text, depth, width) => {
      const context: RenderContext = {
        ...CONTEXT,
        describe: (netns) => ({ ...CONTEXT.describe(netns), title: text, note: text, place: text }),
        cause: () => ({ role: "node-port", object: { kind: text, namespace: text, name: text }, place: text, note: text }),
        ruleText: () => text,
        routeText: () => text,
        segmentOf: () => text,
        advice: () => ({ because: [{ text, place: text }], advice: [{ text, place: text, outcome: text, walked: true }] }),
      };
      for (const [, trace] of SAMPLES) {
        const hostile: Trace = {
          ...trace,
          request: { ...trace.request, command: text, url: text, from: { ...trace.request.from, name: text } },
          paths: trace.paths.map((path) => ({
            ...path,
            text,
            clientSees: { exitCode: 1, message: text },
            ...(path.destination ? { destination: { ...path.destination, name: text, node: text } } : {}),
          })),
          assumed: [{ what: text, key: text }],
        };
        assert.doesNotMatch(
          show(hostile, { depth, width }, context).replaceAll("\n", ""),
          /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/u,
        );
      }
    }),
    { numRuns: 25 },
  );
});

test("same trace, same bytes", () => {
  for (const [, trace] of SAMPLES) assert.equal(show(trace), show(structuredClone(trace)));
});
