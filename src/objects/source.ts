/** Where an object was written. A line and column are found only when one is printed (manifests/places.ts). */

/** One document of one file, and the way down to the object in it (`items`, 3 for a member of a List). */
export type Source = {
  readonly file: string; // as the user would type it, relative to the working directory, `/` between; "-" for stdin
  readonly offset: number; // of the document's first character in the file, UTF-16 units
  readonly path: readonly PathPart[];
};

/** A step down into an object: a key or an index. */
export type PathPart = string | number;

/** A position in a file, all counted from 1; the end is exclusive. */
export type Place = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
};

/** `service.yaml:8:5` */
export const formatPlace = (place: Place): string => `${place.file}:${place.line}:${place.column}`;
