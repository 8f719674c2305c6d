/** ktrace's command line in a process of its own; the last line on stdout is what it took: CPU seconds of the run, memory at most. */
import { main } from "../../src/cli/main.ts";
import { openSession } from "../../src/cli/open.ts";

const started = process.cpuUsage();
const status = await main(
  {
    argv: process.argv.slice(2),
    program: "ktrace",
    env: {},
    cwd: process.cwd(),
    readStdin: () => "",
    stdout: { write: () => undefined, isTTY: false, columns: undefined },
    stderr: { write: (text) => void process.stderr.write(text), isTTY: false, columns: undefined },
  },
  openSession,
);
const { user, system } = process.cpuUsage(started);
const seconds = (user + system) / 1e6;
process.stdout.write(`\n${JSON.stringify({ status, seconds, megabytes: process.resourceUsage().maxRSS / 1024 })}`);
