/** Builds a lab of the reference cluster and stays, to be killed. Says so just before it begins. */
import { netnsOfCluster, restoreText } from "../../src/lab/of-cluster.ts";
import { planLab } from "../../src/lab/plan.ts";
import { up } from "../../src/lab/run.ts";
import { openVariant } from "./kernel-lab.ts";

const session = openVariant({ name: "as it is" });
const plan = planLab(session.world, netnsOfCluster(session.cluster), { lab: process.argv[2] ?? "", restoreText });
process.stdout.write("beginning\n");
await up(plan);
setInterval(() => {}, 1 << 30);
