import { describe, expect, test } from "@jest/globals";
import { restartOf } from "../../../rollout/edit/restart.js";
import { change, deployedAs, localSpec, nothing, poolOf, withGroup } from "../../support/fixtures.js";
import { CANCEL, situationOf } from "../../support/situation.js";
import { errorOf } from "../../cluster/yaml/example.js";

const spec = localSpec();
const standing = deployedAs(spec);

test("a restart raises the generation", () => {
  expect(restartOf(situationOf(spec, standing), "broker-1")).toEqual({
    kind: "restart",
    generation: 1,
    message:
      "restart broker-1: generation 0 -> 1, so that its 3 machines are replaced as they are (as revision 2)",
  });
  const five = change(spec, (draft) => {
    draft.pools["nomad-server"].generations = [0, 5, 0];
  });
  expect(restartOf(situationOf(five, deployedAs(five)), "nomad-server-1").message).toBe(
    "restart nomad-server-1: generation 5 -> 6, so that its machine is replaced as it is (as revision 2)",
  );
});

test("a second restart before the roll changes nothing", () => {
  const raised = change(spec, (draft) => {
    poolOf(draft, "broker").generations = [0, 1, 0];
  });
  expect(restartOf(situationOf(raised, standing), "broker-1")).toEqual({
    kind: "nothing",
    message:
      "nothing to restart: broker-1 is pending already (generation 0 -> generation 1), and its roll replaces its machines",
  });
});

describe("a restart refuses", () => {
  const refusal = (...args: Parameters<typeof situationOf>): string =>
    errorOf(() => restartOf(situationOf(...args), "broker-1"));

  test("a group that is new", () => {
    expect(refusal(spec, nothing())).toBe(
      "broker-1 is new and has never stood, so broker-1 is not restarted; first: npx rollout deploy cluster",
    );
  });

  test("a group that is in flight", () => {
    expect(refusal(spec, withGroup(standing, "broker-1", { leave: false }))).toBe(
      "broker-1 is in flight (terraform_data.broker-1-leave is missing: the group has left), so broker-1 is not restarted; first: rollout deploy broker-1",
    );
  });

  test("while the run is being cancelled", () => {
    expect(refusal(spec, standing, { hold: CANCEL })).toBe(
      "demo is cancelled (since 09:12 UTC by ops@build-1), so broker-1 is not restarted; first: rollout resume",
    );
  });

  test("while another group is pending", () => {
    const pending = change(spec, (draft) => {
      poolOf(draft, "broker").images[2] = "ami-0eee";
    });
    expect(refusal(pending, standing)).toBe(
      "broker-2 is pending (ami-0aaa -> ami-0eee), so broker-1 is not restarted; first: rollout deploy broker-2, or set it back",
    );
  });
});
