/**
 * Places below one folder are printed without it, and the first line names it, when that keeps rows on one line. What is
 * left out is said once, so nothing is cut.
 */
import type { Path } from "../../trace/trace.ts";
import type { CauseView, Counsel, NetnsView, RenderContext } from "../context.ts";

/** A context that remembers its answers, for a text is laid out twice, and the places it was asked for. */
export function rememberPlaces(context: RenderContext): { readonly context: RenderContext; readonly places: () => readonly string[] } {
  const places = new Set<string>();
  const note = <T extends { readonly place?: string } | undefined>(view: T): T => {
    if (view?.place !== undefined) places.add(view.place);
    return view;
  };
  const describe = remember((netns: string): NetnsView => note(context.describe(netns)));
  const cause = remember((id: number): CauseView | undefined => note(context.cause(id)));
  const { advice } = context;
  const counsel =
    advice &&
    ((path: Path): Counsel | undefined => {
      const given = advice(path);
      for (const { place } of [...(given?.because ?? []), ...(given?.advice ?? [])]) if (place !== undefined) places.add(place);
      return given;
    });
  return { context: { ...context, describe, cause, ...(counsel ? { advice: counsel } : {}) }, places: () => [...places] };
}

/** The same context with places from `folder` on. */
export function withoutFolder(context: RenderContext, folder: string): RenderContext {
  const shorten = <T extends { readonly place?: string }>(view: T): T =>
    view.place?.startsWith(folder) ? { ...view, place: view.place.slice(folder.length) } : view;
  const { advice } = context;
  const counsel =
    advice &&
    ((path: Path): Counsel | undefined => {
      const given = advice(path);
      return given && { because: given.because.map(shorten), advice: given.advice.map(shorten) };
    });
  return {
    ...context,
    ...(counsel ? { advice: counsel } : {}),
    describe: (netns) => shorten(context.describe(netns)),
    cause: (id) => {
      const view = context.cause(id);
      return view && shorten(view);
    },
  };
}

/** The folder that all places lie below, with its slash; empty when there is none. */
export function commonFolder(places: readonly string[]): string {
  const [first, ...rest] = places;
  if (first === undefined) return "";
  let folder = first.slice(0, first.lastIndexOf("/") + 1);
  while (folder !== "" && !rest.every((place) => place.startsWith(folder)))
    folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
  return folder;
}

function remember<K, V>(answer: (key: K) => V): (key: K) => V {
  const known = new Map<K, { readonly value: V }>();
  return (key) => {
    const found = known.get(key) ?? { value: answer(key) };
    known.set(key, found);
    return found.value;
  };
}
