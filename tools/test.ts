/**
 * Runs every *.test.ts under the paths given, by node's own runner with tsx as the loader: `tsx tools/test.ts test
 * --except test/kernel`. `--runs N` and `--seed S` are for the random clusters of the kernel test. Node 20 takes no globs after --test, and its choice of files differs from release to release.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";

const RANDOM = new Map([
  ["--runs", "KTRACE_RUNS"],
  ["--seed", "KTRACE_SEED"],
]);
const words = process.argv.slice(2);
const args = words.filter((word, i) => !RANDOM.has(word) && !RANDOM.has(words[i - 1] ?? ""));
const env = {
  ...process.env,
  ...Object.fromEntries(words.flatMap((word, i) => (RANDOM.has(word) ? [[RANDOM.get(word) ?? "", words[i + 1] ?? ""]] : []))),
};
const cut = args.indexOf("--except");
const wanted = cut < 0 ? args : args.slice(0, cut);
const except = cut < 0 ? [] : args.slice(cut + 1, cut + 2);
const picked = cut < 0 ? [] : args.slice(cut + 2); // `npm test -- test/net`: only these
const roots = picked.length > 0 ? picked : wanted;

const files = roots.flatMap(testFiles).filter((file) => !except.some((path) => file.startsWith(`${path}/`)));
if (files.length === 0) {
  process.stdout.write(`no tests under ${roots.join(" ")}\nℹ pass 0\nℹ fail 0\n`);
  process.exit(0);
}
const run = spawnSync(process.execPath, ["--import", "tsx", "--test", "--test-reporter=spec", ...files], { stdio: "inherit", env });
process.exit(run.status ?? 1);

function testFiles(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => testFiles(`${path}/${name}`))
    .filter((file) => file.endsWith(".test.ts"));
}
