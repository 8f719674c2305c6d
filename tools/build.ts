/**
 * Bundles src/cli/start.ts and the five libraries into one file, dist/cli.js: opening one file costs far less at start
 * than resolving a hundred. A module reached only by `await import()` stays in that file and is evaluated when asked for.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

// Bundled CommonJS libraries (commander, cli-table3) ask for node: modules with require, which an ES module has not.
const REQUIRE = 'import { createRequire as ktraceRequire } from "node:module"; const require = ktraceRequire(import.meta.url);';

/**
 * commander can start other programs as subcommands. ktrace has none, and loading node:child_process (with node:net and
 * node:dgram behind it) is a tenth of the whole start.
 */
const noChildProcess: Plugin = {
  name: "no-child-process",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/commander/") ? { path: "child_process", namespace: "nothing" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {}", loader: "js" }));
  },
};

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { cli: "src/cli/start.ts" },
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.20",
  banner: { js: REQUIRE },
  minify: true, // a third less to read at every start; the source map gives the names back
  plugins: [noChildProcess],
  legalComments: "none",
  charset: "ascii", // V8 reads a file of one-byte characters faster
  sourcemap: "linked",
  logLevel: "warning",
  write: false,
});

// A ktrace that starts during a build must find a whole file: the old one or the new one.
mkdirSync(`${root}dist`, { recursive: true });
for (const { path, contents } of outputFiles) {
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}
