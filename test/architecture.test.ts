/** The house stands: imports run along the allowed arrows, never in a circle; a library lives in its one room; files stay small. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../src/", import.meta.url));

/** Which rooms each room may import from. `(root)`: the front door and its context, which see every room but cli. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  net: [],
  objects: ["net"],
  manifests: ["objects", "net"],
  cluster: ["objects", "net"],
  linux: ["net"],
  agents: ["cluster", "objects", "linux", "net"],
  apps: ["cluster", "objects", "net"],
  trace: ["linux", "apps", "net"],
  dialects: ["linux", "net"],
  lab: ["linux", "dialects", "agents", "apps", "cluster", "objects", "net", "trace"],
  advice: ["trace", "cluster", "linux", "objects", "net"],
  verify: ["trace", "dialects", "linux", "net"],
  compare: ["trace", "cluster", "linux", "objects", "net"],
  expect: ["compare", "trace", "cluster", "linux", "objects", "net"],
  render: ["expect", "compare", "lint", "trace", "dialects", "linux", "objects", "net"],
  lint: ["manifests", "objects", "cluster", "agents", "trace", "linux", "net"],
  "(root)": [
    "net",
    "objects",
    "manifests",
    "cluster",
    "linux",
    "agents",
    "apps",
    "trace",
    "dialects",
    "lab",
    "verify",
    "advice",
    "render",
    "lint",
  ],
  cli: [
    "net",
    "objects",
    "manifests",
    "cluster",
    "linux",
    "agents",
    "apps",
    "trace",
    "dialects",
    "lab",
    "verify",
    "compare",
    "expect",
    "advice",
    "render",
    "lint",
    "(root)",
  ],
};
/** `render` and `lint` know the kernel's types only, `render` those of `lint`: an import of a value is a wrong arrow. */
const TYPES_ONLY: readonly (readonly [string, string])[] = [
  ["render", "linux"],
  ["lint", "linux"],
  ["render", "lint"],
];
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  "js-yaml": ["manifests"],
  "ipaddr.js": ["net"],
  commander: ["cli"],
  chalk: ["cli"],
  "cli-table3": ["render"],
};
/** What the clock, the dice, the locale and the environment would make different from run to run. */
const UNSTABLE = /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|localeCompare|toLocale\w+|Intl\.)/;
const LONGEST = 400;

type Import = { readonly file: string; readonly to: string; readonly typeOnly: boolean };
const files = filesUnder(root);
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
const imports = files.flatMap(importsOf);
const local = imports.filter(({ to }) => to.startsWith("."));

test("there are files to look at", () => assert.ok(files.length > 50 && local.length > 100));

test("every room is in the table", () => {
  assert.deepEqual(
    [...new Set(files.map(roomOf))].filter((room) => !Object.hasOwn(ARROWS, room)),
    [],
  );
});

test("imports run along the allowed arrows", () => {
  const wrong = local.filter(({ file, to, typeOnly }) => {
    const [from, target] = [roomOf(file), roomOf(resolved(file, to))];
    if (from === target) return false;
    if (target === "..") return !(from === "manifests" && /^\.\.\/schema\/.*\.json$/.test(resolved(file, to))); // what is published is what is checked
    return !(ARROWS[from] ?? []).includes(target) || (!typeOnly && TYPES_ONLY.some(([a, b]) => a === from && b === target));
  });
  assert.deepEqual(
    wrong.map(({ file, to, typeOnly }) => `${file} -> ${resolved(file, to)}${typeOnly ? " (type)" : ""}`),
    [],
  );
});

test("each library is imported in its one room only, and is a dependency", () => {
  const packages = imports.filter(({ to }) => !to.startsWith(".") && !to.startsWith("node:"));
  const wrong = packages.filter(({ file, to }) => !(LIBRARIES[to] ?? []).includes(roomOf(file)));
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} -> ${to}`),
    [],
  );
  const { dependencies } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8"));
  assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(LIBRARIES).sort());
});

test("no circle of imports that run", () => {
  const edges = new Map<string, readonly string[]>(
    files.map((file) => [file, local.filter((one) => one.file === file && !one.typeOnly).map(({ to }) => resolved(file, to))]),
  );
  assert.deepEqual(findCircle(edges), []);
});

test(`no file is longer than ${LONGEST} lines`, () => {
  const long = files
    .map((file) => ({ file, lines: (textOf.get(file) ?? "").split("\n").length - 1 }))
    .filter(({ lines }) => lines > LONGEST);
  assert.deepEqual(long, []);
});

test("what is imported is there", () => {
  const missing = local.map(({ file, to }) => resolved(file, to)).filter((file) => !existsSync(join(root, file)));
  assert.deepEqual(missing, []);
});

test("every file opens by saying what it is", () => {
  assert.deepEqual(
    files.filter((file) => !/^\/\*\*/.test(textOf.get(file) ?? "")),
    [],
  );
});

test("nothing depends on the clock, on chance or on the locale", () => {
  assert.deepEqual(
    files.filter((file) => UNSTABLE.test(textOf.get(file) ?? "")),
    [],
  );
});

test("only manifests and cli touch the disk or the process", () => {
  const wrong = imports.filter(
    ({ file, to }) => /^node:(fs|process|child_process|os|net|http|dns)/.test(to) && !["manifests", "cli", "lab"].includes(roomOf(file)),
  );
  assert.deepEqual(
    wrong.map(({ file, to }) => `${file} -> ${to}`),
    [],
  );
});

function filesUnder(folder: string, prefix = ""): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(join(folder, entry.name), `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
    )
    .filter((file) => file.endsWith(".ts"))
    .sort();
}

/** Static imports, re-exports, and `await import()`; `typeof import()` and `import type` vanish before anything runs. */
function importsOf(file: string): Import[] {
  const text = (textOf.get(file) ?? "").replace(/\/\*[\s\S]*?\*\//g, "");
  const statics = [...text.matchAll(/^(import|export)\s+(type\s+)?([^;'"]*?from\s+)?["']([^"']+)["']/gm)].map(
    ([, , type, names = "", to = ""]): Import => ({
      file,
      to,
      typeOnly: type !== undefined || /^\{(\s*type\s[^,}]*,?)+\s*\}\s*from\s+$/.test(names),
    }),
  );
  const dynamics = [...text.matchAll(/(typeof\s+)?\bimport\(\s*["']([^"']+)["']/g)].map(
    ([, type, to = ""]): Import => ({ file, to, typeOnly: type !== undefined }),
  );
  return [...statics, ...dynamics];
}

function resolved(file: string, to: string): string {
  return normalize(join(dirname(file), to));
}

function roomOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : "(root)";
}

/** The files of one circle, or none. */
function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): string[] => {
    if (above.includes(file)) return [...above.slice(above.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...above, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of edges.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
