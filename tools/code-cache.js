/**
 * `node tools/code-cache.js OUTPUT WORDS…`: runs the bundle as `ktrace WORDS` and writes the code that V8 compiled for it, so that
 * the next start (bin/ktrace) need not compile it again. Another release of V8 refuses the file, and the bundle is compiled as usual.
 */
import { readFileSync, writeFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const [output = "", ...words] = process.argv.slice(2);
const bundle = fileURLToPath(new URL("../dist/cli.cjs", import.meta.url));
process.argv.splice(2, Number.POSITIVE_INFINITY, ...words);

const script = new Script(module.wrap(readFileSync(bundle, "latin1")), { filename: bundle });
process.on("exit", () => writeFileSync(output, script.createCachedData()));
script.runInThisContext()({}, createRequire(bundle), {}, bundle, "");
