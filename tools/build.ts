/**
 * Bundles src/cli/start.ts and the five libraries into one file, dist/cli.cjs: opening one file costs far less at start than
 * resolving a hundred. A module reached only by `await import()` stays in that file and is evaluated when asked for. It is
 * CommonJS because only that can be started from compiled code (tools/code-cache.js), which saves a quarter of the whole run.
 * dist/index.js is the same as a library, src/cli/library.ts, for programs that import it.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;

/** commander can start other programs as subcommands. ktrace has none, and node:child_process is slow to load. */
const noChildProcess: Plugin = {
  name: "no-child-process",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/commander/") ? { path: "child_process", namespace: "nothing" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {}", loader: "js" }));
  },
};

const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  platform: "node" as const,
  target: "node20.20",
  plugins: [noChildProcess],
  minify: true, // a third less to read at every start; the source map gives the names back
  legalComments: "none" as const,
  charset: "ascii" as const, // V8 reads a file of one-byte characters faster
  logLevel: "warning" as const,
  write: false as const,
};
const { outputFiles } = await build({
  ...common,
  entryPoints: { cli: "src/cli/start.ts" },
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "ktraceUrl" },
  banner: { js: 'const ktraceUrl = require("node:url").pathToFileURL(__filename).href;' },
  sourcemap: "linked",
});
const library = await build({
  ...common,
  entryPoints: { index: "src/cli/library.ts" },
  format: "esm",
  banner: { js: 'import { createRequire as ktraceRequire } from "node:module"; const require = ktraceRequire(import.meta.url);' }, // for libraries that are CommonJS
});

const text = outputFiles.find(({ path }) => path.endsWith(".cjs"))?.text ?? "";
const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
const map = outputFiles.find(({ path }) => path.endsWith(".map"))?.text ?? "";

// A ktrace that starts during a build must find a whole file, the old one or the new one, and code compiled from just that file:
// V8 itself compares no more than the length. So the file begins with its own hash, and the cache is named after it.
mkdirSync(dist, { recursive: true });
replace("cli.cjs.map", map.replace('"mappings":"', '"mappings":";')); // one line more than esbuild wrote
replace("cli.cjs", `//${hash}\n${text}`);
replace("index.js", library.outputFiles[0]?.text ?? "");
replace("agent.mjs", readFileSync(`${root}src/lab/agent.mjs`, "utf8")); // the lab's helper process: started as a file of its own
makeCodeCache();

function replace(name: string, content: string): void {
  const fresh = `${dist}/${name}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, `${dist}/${name}`);
}

/** A trace of the reference cluster runs what most commands need. Without the cache everything works, only slower. */
function makeCodeCache(): void {
  const fresh = `${dist}/cache.${process.pid}`;
  const words = ["-f", "fixtures/tomcat6", "-t", "fixtures/tomcat6/topology.yaml", "curl", "node2:31160"];
  const { status, stderr } = spawnSync(process.execPath, ["tools/code-cache.js", fresh, ...words], { cwd: root, encoding: "utf8" });
  for (const old of readdirSync(dist).filter((name) => name.endsWith(".cache"))) rmSync(`${dist}/${old}`, { force: true });
  if (status === 0) {
    renameSync(fresh, `${dist}/cli-${hash}.cache`);
    return;
  }
  rmSync(fresh, { force: true });
  process.stderr.write(`no code cache, ktrace will start slower: ${stderr}`);
}
