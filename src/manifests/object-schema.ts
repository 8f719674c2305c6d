/** schema/objects.schema.json, held against an object as it was written: what the reader refuses it for. */
import objectSchemas from "../../schema/objects.schema.json" with { type: "json" };
import { dropNulls, modernize } from "./old-versions.ts";
import { checkSchema, type Definitions, type Violation } from "./schema.ts";
import { isMapping, type YamlMapping } from "./yaml/construct.ts";
import { withZeroValues } from "./zero-values.ts";

const SCHEMAS: Definitions = objectSchemas.$defs;

/** The object in today's form, nulls as the API server reads them. */
export function todaysForm(written: YamlMapping): YamlMapping {
  const value = dropNulls(written);
  return withZeroValues(modernize(isMapping(value) ? value : {}));
}

/** All violations, of an object in today's form. */
export const objectViolations = (kind: string, object: YamlMapping): readonly Violation[] => checkSchema(SCHEMAS, kind, object);
