import { expect, test } from "@jest/globals";
import { meaningOf } from "../../rollout/roll/meaning.js";
import { phasesOfCreation, phasesOfRoll } from "../../rehearsal/phases.js";

test("each step and each kind of event is one phase, from its first beginning to its last end, in order", () => {
  const applied = [
    event("terraform_data.broker-0-ready", "delete", 0, 0.1),
    event("terraform_data.broker-0-1", "create", 3, 3.2),
    event("terraform_data.broker-0-0", "create", 2.9, 3),
    event("terraform_data.broker-0-leave", "delete", 0.1, 2.5),
    event("terraform_data.own", "create", 0, 9),
    event("terraform_data.broker-0-ready", "create", 4, 7.5),
  ];
  const steps = [
    { step: "leave", begins: 0.2, ends: 2 },
    { step: "apply", begins: 2, ends: 3.2 },
    { step: "gate", begins: 3.2, ends: 3.4 },
    { step: "gate", begins: 3.6, ends: 7 },
    { step: "record", begins: 7, ends: 8 },
  ] as const;
  expect(phasesOfRoll({ steps, applied })).toEqual([
    { what: "work leaves, then the agents", count: 1, begins: 0.2, ends: 2 },
    { what: "machine created", count: 2, begins: 2.9, ends: 3.2 },
    { what: "ready, and held for the bake time", count: 2, begins: 3.2, ends: 7 },
  ]);
  expect(phasesOfCreation({ applied })).toEqual([
    { what: "broker: machines", count: 2, begins: 2.9, ends: 3.2 },
    { what: "broker: groups ready", count: 1, begins: 4, ends: 7.5 },
  ]);
  expect(meaningOf("leave", "create", "apply")).toBeUndefined();
});

test("a revision is recorded in the step of that name: before, it says only which hooks have ended", () => {
  const update = (step: "apply" | "record", begins: number) => ({
    ...{ address: "terraform_data.broker-0-revision", action: "update", step, begins, ends: begins + 1 },
  });
  expect(phasesOfRoll({ steps: [], applied: [update("apply", 1), update("record", 5)] })).toEqual([
    { what: "revision recorded", count: 1, begins: 5, ends: 6 },
  ]);
});

const event = (address: string, action: "create" | "delete", begins: number, ends: number) => ({
  address,
  action,
  step: "apply" as const,
  begins,
  ends,
});
