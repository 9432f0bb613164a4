import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  nextConfigureConsulStep,
  renderServersFile,
  type ConsulObservation,
  type SeenAgent,
  type SeenMember,
} from "../../rollout/configure-consul.js";

const servers = ["10.0.0.1", "10.0.1.1", "10.0.2.1"];
const content = renderServersFile(servers);
const itself: SeenMember = { name: "broker-0-0", address: "10.0.0.7", status: "alive" };
const server = (address: string, status = "alive"): SeenMember => ({ name: address, address, status });
const agent = (members: readonly SeenMember[], leader = ""): SeenAgent => ({
  answers: true,
  members,
  leader,
});
const healthy = agent([itself, ...servers.map((address) => server(address))], "10.0.0.1:8300");
const observe = (changes: Partial<ConsulObservation> = {}): ConsulObservation => ({
  file: { reached: true, content, reloadDue: false },
  agent: healthy,
  wrote: false,
  outOfTime: false,
  ...changes,
});
const next = (changes: Partial<ConsulObservation> = {}, list = servers) =>
  nextConfigureConsulStep(observe(changes), list);
const onDisk = (text: string | undefined, reloadDue = false) =>
  ({ reached: true, content: text, reloadDue }) as const;

describe("Of one machine", () => {
  test("nothing is to be done when its list is right and its agent has a leader", () => {
    expect(next()).toEqual({ step: "done", leader: "10.0.0.1:8300" });
  });

  test.each([undefined, "", renderServersFile(["10.0.0.1"])])("a list that is %j is written", (text) => {
    expect(next({ file: onDisk(text) })).toEqual({ step: "write", content });
  });

  test("the list is written also while the agent does not answer", () => {
    const silent: SeenAgent = { answers: false, reason: "connection refused" };
    expect(next({ file: onDisk(undefined), agent: silent })).toEqual({ step: "write", content });
  });

  test("an agent that has not read its folder since is reloaded, whoever wrote the list", () => {
    expect(next({ file: onDisk(content, true) })).toEqual({ step: "reload" });
  });

  test("an agent that does not answer yet is waited for, and reloaded then", () => {
    const silent: SeenAgent = { answers: false, reason: "connection refused" };
    expect(next({ file: onDisk(content, true), agent: silent })).toEqual({
      step: "wait",
      reason: "its Consul agent does not answer: connection refused",
    });
  });

  test("a machine that cannot be reached yet is waited for", () => {
    expect(next({ file: { reached: false, reason: "it boots" } })).toEqual({
      step: "wait",
      reason: "it boots",
    });
  });

  test("an agent that is stuck joins each server that it does not see", () => {
    const stuck: SeenAgent = { ...agent([itself]), reason: "No known Consul servers" };
    expect(next({ agent: stuck })).toEqual({
      step: "join",
      addresses: servers,
      reason:
        "its Consul agent knows no leader (No known Consul servers); wanted 10.0.0.1, 10.0.1.1, 10.0.2.1, alive 10.0.0.7",
    });
  });

  test("a server that has failed or left counts as not seen", () => {
    const half = agent([
      itself,
      server("10.0.0.1"),
      server("10.0.1.1", "failed"),
      server("10.0.2.1", "left"),
    ]);
    expect(next({ agent: half })).toMatchObject({ step: "join", addresses: ["10.0.1.1", "10.0.2.1"] });
  });

  test("an agent with a leader that is none of the servers joins them", () => {
    expect(next({ agent: agent([itself, server("10.9.9.9")], "10.9.9.9:8300") })).toMatchObject({
      step: "join",
      reason:
        "its Consul agent sees none of the servers; wanted 10.0.0.1, 10.0.1.1, 10.0.2.1, alive 10.0.0.7, 10.9.9.9",
    });
  });

  test("an agent that sees all servers and no leader waits for the election", () => {
    const members = servers.map((address) => server(address));
    expect(next({ agent: agent(members) })).toMatchObject({ step: "wait" });
  });

  test("one server that it sees is enough, with a leader: the others may be on their way", () => {
    expect(next({ agent: agent([itself, server("10.0.1.1")], "10.0.1.1:8300") })).toMatchObject({
      step: "done",
    });
  });

  test("addresses with ports are compared by the address", () => {
    const list = servers.map((address) => `${address}:8301`);
    const file = onDisk(renderServersFile(list));
    expect(next({ file }, list)).toMatchObject({ step: "done" });
  });

  test("refuses a list that reads back other than it was written", () => {
    expect(next({ file: onDisk("other"), wrote: true })).toEqual({
      step: "failed",
      reason: 'the file reads back as "other" after it was written; see what else writes it',
    });
    expect(next({ file: onDisk(undefined), wrote: true })).toEqual({
      step: "failed",
      reason: "the file is gone after it was written; see what else writes it",
    });
  });

  test.each<[string, Partial<ConsulObservation>]>([
    ["it boots", { file: { reached: false, reason: "it boots" } }],
    [
      "its Consul agent does not answer: connection refused; see on the machine: journalctl -u consul",
      { agent: { answers: false, reason: "connection refused" } },
    ],
    [
      "its Consul agent knows no leader; wanted 10.0.0.1, 10.0.1.1, 10.0.2.1, alive 10.0.0.7",
      { agent: agent([itself]) },
    ],
  ])("refuses to wait longer when time is up: %s", (reason, changes) => {
    expect(next({ ...changes, outOfTime: true })).toEqual({ step: "failed", reason });
  });

  test("a machine that is right is done also when time is up", () => {
    expect(next({ outOfTime: true })).toMatchObject({ step: "done" });
  });
});

describe("The list", () => {
  test("is an agent's setting retry_join", () => {
    expect(content).toBe('{\n  "retry_join": [\n    "10.0.0.1",\n    "10.0.1.1",\n    "10.0.2.1"\n  ]\n}\n');
  });

  test("refuses to be empty", () => {
    expect(() => renderServersFile([])).toThrow(
      "no Consul servers: the list of their addresses is empty, and an agent with an empty list finds none after a restart; nothing was changed",
    );
  });

  test("refuses all that is no address and all that stands twice, at once", () => {
    expect(() => renderServersFile(["", "10.0.0.1", "consul", "10.0.0.1"])).toThrow(
      'wrong list of Consul servers: "" is no IP address, "consul" is no IP address, "10.0.0.1" stands twice; each is an address such as 10.0.0.1 or 10.0.0.1:8301, and stands once; nothing was changed',
    );
  });

  test("a wrong list is refused whatever is observed", () => {
    expect(() => next({}, [])).toThrow("no Consul servers");
  });
});

test("a run ends in the same place, wherever it was cut off", () => {
  const start = fc.record({
    content: fc.option(fc.constantFrom("", "old", content), { nil: undefined }),
    reloadDue: fc.boolean(),
    booting: fc.nat(3),
    stuck: fc.boolean(),
  });
  fc.assert(
    fc.property(start, fc.array(fc.nat(6), { maxLength: 3 }), (machine, cuts) => {
      const state = { ...machine };
      for (const steps of cuts) runFor(state, steps);
      expect(runFor(state, 20)).toBe("done");
      expect(state).toMatchObject({ content, reloadDue: false, stuck: false });
    }),
  );
});

/** Runs a machine for some steps; the answer is the last of them. */
function runFor(
  state: { content: string | undefined; reloadDue: boolean; booting: number; stuck: boolean },
  steps: number,
): string {
  let [wrote, last] = [false, ""];
  for (let left = steps; left > 0 && last !== "done"; left -= 1) {
    const step = next({
      file: onDisk(state.content, state.reloadDue),
      agent:
        state.booting > 0 ? { answers: false, reason: "boots" } : state.stuck ? agent([itself]) : healthy,
      wrote,
    });
    last = step.step;
    if (step.step === "write") {
      [state.content, state.reloadDue, wrote] = [step.content, true, true];
    } else if (step.step === "reload") state.reloadDue = false;
    else if (step.step === "join") state.stuck = false;
    else if (step.step === "wait") state.booting -= 1;
  }
  return last;
}
