import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { examineValues, useProve } from "../support/examine.ts";
import { CHAIN_FAULTS } from "./faults/chain.ts";
import { createHierarchy, type Fault, type Hierarchy } from "./faults/fault.ts";
import { LEAF_FAULTS } from "./faults/leaf.ts";
import { READING_FAULTS } from "./faults/reading.ts";
import { SEVERAL_FAULTS } from "./faults/several.ts";

const prove = useProve();
let hierarchy: Hierarchy;
before(() => {
  hierarchy = createHierarchy();
});

describe("a bundle with one fault is refused", () => {
  for (const fault of [...READING_FAULTS, ...LEAF_FAULTS, ...CHAIN_FAULTS]) test(fault);
});

describe("a bundle with several faults is refused", () => {
  for (const fault of SEVERAL_FAULTS) test(fault);
});

function test({ what, codes, policy, values }: Fault): void {
  it(what, async () => {
    const examined = await examineValues(prove, values(hierarchy), policy === undefined ? {} : { policy });
    assert.ok(!examined.ok, "it was accepted");
    const found = [...new Set(examined.problems.map(({ code }) => code))];
    assert.deepEqual(found, [...codes].sort(), examined.problems.map(({ message }) => message).join("\n"));
  });
}
