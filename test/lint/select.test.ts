/** Which rules run and how severe they are: profile, project file, flags. */
import assert from "node:assert/strict";
import test from "node:test";
import { chooseRules, createOverrides, type Selection } from "../../src/lint/select.ts";
import { pathMatcher } from "../../src/manifests/glob.ts";
import type { Level } from "../../src/manifests/project-lint.ts";
import { UsageError } from "../../src/objects/diagnostic.ts";
import { NO_SELECTION, TINY } from "./tiny.ts";

const setting = (rule: string, level: Level) => ({ rule, level, options: {} });
const severities = (selection: Partial<Selection>): string =>
  chooseRules(TINY, { ...NO_SELECTION, ...selection })
    .filter(({ severity }) => severity !== "off")
    .map(({ rule, severity }) => `${rule.code} ${severity}`)
    .join(", ");

const rows: readonly { name: string; selection: Partial<Selection>; runs: string }[] = [
  { name: "the default profile", selection: {}, runs: "KT801 error, KT802 warning, KT902 warning" },
  { name: "strict: what is off tells", selection: { profile: "strict" }, runs: "KT801 error, KT802 warning, KT811 info, KT902 warning" },
  {
    name: "syntax: one object at a time",
    selection: { profile: "syntax", extendSelect: ["KT811"] },
    runs: "KT801 error, KT802 warning, KT811 info, KT902 warning",
  },
  { name: "only these", selection: { select: ["KT802"] }, runs: "KT802 warning" },
  { name: "what is off, when it is asked for", selection: { select: ["quiet-one"] }, runs: "KT811 info" },
  { name: "a prefix, less one", selection: { select: ["KT80"], ignore: ["owner-missing"] }, runs: "KT802 warning" },
  { name: "these too", selection: { extendSelect: ["kt811"] }, runs: "KT801 error, KT802 warning, KT811 info, KT902 warning" },
  {
    name: "the project file",
    selection: { settings: [setting("KT801", "info"), setting("KT802", "off")] },
    runs: "KT801 info, KT902 warning",
  },
  {
    name: "a code before its prefix, whatever the order",
    selection: { settings: [setting("KT801", "info"), setting("KT8", "off")] },
    runs: "KT801 info, KT902 warning",
  },
  {
    name: "flags before the file",
    selection: { settings: [setting("KT801", "off")], levels: [{ rule: "KT801", level: "warning" }] },
    runs: "KT801 warning, KT802 warning, KT902 warning",
  },
  { name: "--off", selection: { levels: [{ rule: "KT8", level: "off" }] }, runs: "KT902 warning" },
  {
    name: "strict and a file that says off",
    selection: { profile: "strict", settings: [setting("KT811", "off")] },
    runs: "KT801 error, KT802 warning, KT902 warning",
  },
];
for (const { name, selection, runs } of rows) test(name, () => assert.equal(severities(selection), runs));

const wrong: readonly { selection: Partial<Selection>; says: string; help: string }[] = [
  { selection: { select: ["KT803"] }, says: '--select: no rule "KT803"', help: "did you mean KT801?" },
  { selection: { ignore: ["owner-mising"] }, says: '--ignore: no rule "owner-mising"', help: "did you mean owner-missing?" },
  { selection: { levels: [{ rule: "x", level: "error" }] }, says: '--error: no rule "x"', help: "`ktrace explain --list` lists the rules" },
  { selection: { settings: [setting("KT90x", "off")] }, says: 'ktrace.yaml: no rule "KT90x"', help: "did you mean KT902?" },
  {
    selection: { settings: [{ ...setting("KT802", "error"), options: { excpet: [] } }] },
    says: 'ktrace.yaml: KT802 has no option "excpet"',
    help: "did you mean except?",
  },
  {
    selection: { settings: [{ ...setting("KT801", "error"), options: { a: 1 } }] },
    says: 'ktrace.yaml: KT801 has no option "a"',
    help: "it has none",
  },
];
for (const { selection, says, help } of wrong)
  test(says, () =>
    assert.throws(
      () => severities(selection),
      (error) => error instanceof UsageError && error.message === says && error.help === help,
    ),
  );

test("who said so", () => {
  const chosen = chooseRules(TINY, {
    ...NO_SELECTION,
    profile: "strict",
    settings: [setting("KT801", "info")],
    levels: [{ rule: "KT802", level: "error" }],
  });
  assert.deepEqual(
    chosen.map(({ origin }) => origin),
    ["ktrace.yaml", "--error", "profile strict", "default"],
  );
});

test("in some files another severity; of two the later counts", () => {
  const overrides = [
    { files: ["dev/**"], rules: [setting("KT8", "off")] },
    { files: ["dev/x.yaml"], rules: [setting("KT801", "info")] },
  ];
  const severityIn = createOverrides(TINY, { ...NO_SELECTION, overrides }, (patterns) => (file) => pathMatcher(patterns, "/")(`/${file}`));
  assert.deepEqual(
    ["dev/x.yaml", "dev/y.yaml", "z.yaml"].map((file) => severityIn("KT801", file)),
    ["info", "off", undefined],
  );
});
