import { expect, test } from "@jest/globals";
import { refusedByState } from "../../guard/refused-by-state.js";
import { formatViolation } from "../../guard/verdict.js";
import {
  change,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  refusal,
  withGroup,
  withoutAddresses,
} from "../support/fixtures.js";

const spec = localSpec();
const standing = deployedAs(spec);
const { volumes } = groupIn(standing, "broker-0");
const forgotten = withoutAddresses(
  withGroup(standing, "broker-0", { volumes: volumes.filter(({ host }) => host !== 1) }),
  "terraform_data.broker-0-1-data",
);

test.each([
  ["a tainted machine", withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-1"] })],
  ["a tainted record", withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-revision"] })],
  ["a data volume that the state has lost", forgotten],
])("says of %s what synth refuses", (_, deployed) => {
  const said = refusedByState(spec, deployed, "broker-0").map(formatViolation).join("\n");
  expect(said).not.toBe("");
  expect(said).toBe(refusal(spec, deployed, "broker-0"));
});

test("says nothing of what synth accepts, nor while protection is off", () => {
  expect(refusedByState(spec, standing, "broker-0")).toEqual([]);
  const off = change(spec, (draft) => {
    draft.protection = "off";
  });
  expect(refusedByState(off, forgotten, "broker-0")).toEqual([]);
  const pending = change(spec, (draft) => {
    poolOf(draft, "broker").images[0] = "ami-0bbb";
  });
  const tainted = withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-1"] });
  expect(refusedByState(pending, tainted, "broker-0")).toEqual([]);
});
