/** The request repeated: whether it goes to the same endpoint again, and what would make it. */
import { equalFractions, formatFraction, ONE } from "../../net/fraction.ts";
import { sameShare } from "../../trace/again.ts";
import type { Destination, Path, RoundOutcome, Trace } from "../../trace/trace.ts";
import { layoutRow } from "./layout.ts";
import type { Scene } from "./scene.ts";
import { type Line, line, span } from "./spans.ts";

/** One row a repetition; under `-v` one a path beneath it. */
export function againLines(scene: Scene, trace: Trace): Line[] {
  const rounds = trace.paths[0]?.again ?? [];
  return rounds.flatMap((round, i) => {
    const same = sameShare(trace.paths, i);
    const verb = i === 0 ? "again" : "";
    const endpoints = new Set(trace.paths.map((path) => endText(path)));
    const what = equalFractions(same, ONE)
      ? `connection ${round.connection} ends where the first one did, always`
      : `connection ${round.connection} ends where the first one did for ${formatFraction(same)} of clients`;
    const why =
      endpoints.size === 1 ? "there is one way only" : equalFractions(same, ONE) ? "it sticks" : "nothing ties a client to an endpoint";
    const head = layoutRow({ verb, what: line(what), because: line(why) }, scene.options.width);
    return scene.options.depth === "verbose" ? [...head, ...trace.paths.flatMap((path) => pathRow(scene, path, i))] : head;
  });
}

function pathRow(scene: Scene, path: Path, round: number): Line[] {
  const then = (path.again?.[round]?.outcomes ?? []).map((one) => `${formatFraction(one.share)} ${endText(one)}`);
  return layoutRow({ verb: "", what: line(span(`after ${endText(path)}: ${then.join(", ")}`, "dim")) }, scene.options.width);
}

const endText = ({ verdict, reason, destination }: Pick<RoundOutcome, "verdict" | "reason" | "destination">): string =>
  verdict === "delivered" ? placeText(destination) : `${verdict}${reason === undefined ? "" : ` ${reason}`}`;
const placeText = (to: Destination | undefined): string =>
  to === undefined ? "nowhere" : to.port === undefined ? to.ip : `${to.ip}:${to.port}`;
