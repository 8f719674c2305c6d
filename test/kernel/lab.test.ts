/**
 * Labs come and go without a trace: what `up` makes is what the World says, and `down` leaves the machine as it was, also
 * after an `up` that was killed at any moment.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { LabError } from "../../src/lab/error.ts";
import { netnsOfCluster, restoreText } from "../../src/lab/of-cluster.ts";
import { planLab } from "../../src/lab/plan.ts";
import { down, up } from "../../src/lab/run.ts";
import { labFiles } from "../../src/lab/state.ts";
import { formatCidr } from "../../src/net/address.ts";
import { openVariant } from "./kernel-lab.ts";

const session = openVariant({ name: "as it is" });
const ids = netnsOfCluster(session.cluster);
const planned = (lab: string) => planLab(session.world, ids, { lab, restoreText });
const LAB = `u${process.pid}`;

/** What a lab could leave behind: its namespaces, its processes, its files, links of the machine. */
function leftovers(lab: string): readonly string[] {
  const prefix = `ktrace-${lab}.`;
  const netns = existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => name.startsWith(prefix)) : [];
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(prefix));
  const links = readdirSync("/sys/class/net").filter((name) => /^kt(p|br)\d/.test(name));
  return [...netns, ...processes.map(commandOf), ...links, ...(existsSync(labFiles(lab).dir) ? [labFiles(lab).dir] : [])];
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

const inside = (netns: string, ...command: readonly string[]): string =>
  execFileSync("nsenter", [`--net=/run/netns/ktrace-${LAB}.${netns}`, ...command], { encoding: "utf8" });

test("a lab of the whole cluster", async (t) => {
  const failed = await up(planned(LAB));
  try {
    await t.test("every port is served", () => assert.deepEqual(failed, []));

    await t.test("addresses and routes are those of the World", () => {
      for (const id of ids) {
        const netns = session.world.netns(id);
        assert.ok(netns);
        const name = id.replace(/[^A-Za-z0-9.]+/g, "-");
        const addresses = inside(name, "ip", "-o", "addr")
          .split("\n")
          .flatMap((line) => /^\d+: (\S+)\s+inet6? (\S+)/.exec(line)?.slice(1, 3).join(" ") ?? []);
        const modelled = netns.links.flatMap((link) =>
          link.up ? link.addresses.map(({ cidr }) => `${link.name} ${formatCidr(cidr)}`) : [],
        );
        assert.deepEqual(addresses.sort(), modelled.sort(), id);
        const routes = inside(name, "ip", "route")
          .split("\n")
          .map((line) => line.replace(/ (linkdown|onlink|proto \S+|scope \S+|metric \d+)(?= |$)/g, "").trim())
          .filter((line) => line !== "");
        const expected = netns.routes.map(({ to, via, dev, src }) =>
          [
            to.length === 0 ? "default" : to.length === 32 ? to.ip : formatCidr(to),
            ...(via ? ["via", via] : []),
            ...(dev ? ["dev", dev] : []),
            ...(src ? ["src", src] : []),
          ].join(" "),
        );
        assert.deepEqual(routes.sort(), expected.sort(), id);
      }
    });

    await t.test("iptables-save gives back what was loaded", () => {
      const netns = session.world.netns("node/k8s-node2");
      assert.ok(netns);
      const saved = inside("node-k8s-node2", "iptables-nft-save")
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .join("\n")
        .replace(/\[\d+:\d+\]/g, "[0:0]");
      assert.equal(saved, restoreText(netns, 4));
    });

    await t.test("a second lab of the name is refused, and harms nothing", async () => {
      await assert.rejects(up(planned(LAB)), LabError);
      assert.ok(leftovers(LAB).length > ids.length);
    });
  } finally {
    await down(LAB);
  }
  assert.deepEqual(leftovers(LAB), []);
});

test("down without a lab says so", async () => assert.equal(await down(LAB), false));

const UP = fileURLToPath(new URL("./up-and-stay.ts", import.meta.url));
for (const delay of [0, 15, 40, 80, 150, 250, 400, 600, 900]) {
  test(`up, killed ${delay} ms after it began: down leaves nothing`, async () => {
    const lab = `k${process.pid}`;
    const child = spawn(process.execPath, ["--import", "tsx", UP, lab], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill("SIGKILL");
    await down(lab);
    assert.deepEqual(leftovers(lab), []);
  });
}
