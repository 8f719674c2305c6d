/** Writes docs/rules/ from the rules of lint: a page each, and the list. `npm run docs`; a test says when it is time. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rulePages } from "../test/render/explain/rule-pages.ts";

const folder = fileURLToPath(new URL("../docs/rules/", import.meta.url));
mkdirSync(folder, { recursive: true });
const pages = rulePages();
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(folder + name);
for (const [name, text] of pages) writeFileSync(folder + name, text);
process.stdout.write(`${pages.size} pages in docs/rules\n`);
