/** The plugins that a topology may name are those that there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cniPluginNames } from "../../../src/agents/cni/plugin.ts";
import { EXISTING_PLUGINS, MODELLED_PLUGINS } from "../../../src/objects/cni-plugins.ts";

test("a topology may name every plugin that is modelled, and no other as modelled", () => {
  assert.deepEqual(cniPluginNames, MODELLED_PLUGINS);
  assert.deepEqual(
    MODELLED_PLUGINS.filter((name) => EXISTING_PLUGINS.has(name)),
    [],
  );
});
