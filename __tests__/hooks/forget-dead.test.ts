import { beforeEach, expect, test } from "@jest/globals";
import { forgetDead } from "../../hooks/forget-dead.js";
import { Interruption } from "../../cluster/interruption.js";
import { Timeline } from "../../hooks/timeline.js";
import { UserError } from "../../cluster/user-error.js";
import { expecting, known, observed, pick, replaced, type World } from "../rollout/observed.js";

const expected = expecting("broker-0");

let now: number;
let lines: string[];
let world: World;

/** One machine was replaced, and Nomad has not seen yet that the old one is dead. */
beforeEach(() => {
  [now, lines] = [0, []];
  world = observed(replaced("broker-0-0"));
  pick(world.nomad.nodes, "broker-0-0-node").status = "ready";
});

interface Course {
  /** What happens at a second. */
  readonly at?: Readonly<Record<number, () => void>>;
  readonly purge?: () => Error | undefined;
  readonly signal?: AbortSignal;
}

async function forget({ at = {}, purge, signal = new AbortController().signal }: Course = {}): Promise<void> {
  const clock = {
    now: () => now,
    pause: (ms: number) => {
      now += ms;
      at[now / 1000]?.();
      return Promise.resolve();
    },
  };
  const nomad = {
    purge: (id: string) => {
      const error = purge?.();
      if (error) return Promise.reject(error);
      world.nomad.nodes = known(world.nomad.nodes).filter((node) => node.id !== id);
      return Promise.resolve(true);
    },
  };
  const timeline = new Timeline("broker-0", clock, (line) => lines.push(line));
  await forgetDead({ look: () => Promise.resolve(world), nomad, clock, timeline, signal }, world, expected);
}

const dies = (): void => {
  pick(world.nomad.nodes, "broker-0-0-node").status = "down";
};

test("a record that is not down yet is waited for and then purged", async () => {
  await forget({ at: { 28: dies } });
  expect(lines).toEqual([
    "+0s   still: broker-0-0: the record broker-0-0-node of its dead machine is ready, not down",
    "+28s broker-0-0: the record broker-0-0-node of its dead machine is purged",
  ]);
});

test("where nothing is dead, nothing is waited for", async () => {
  world = observed();
  await forget();
  expect([now, lines]).toEqual([0, []]);
});

test("a record that does not go down stays, and a line says how to remove it", async () => {
  await forget();
  expect(lines.at(-1)).toBe(
    "+62s warning: broker-0-0: the record broker-0-0-node of its dead machine is ready, not down; it stays, so remove it later: rollout gc",
  );
  expect(lines).toHaveLength(2);
});

test("what is not known is no record that is gone", async () => {
  const nodes = world.nomad.nodes;
  await forget({
    at: {
      2: () => (world.nomad.nodes = { unknown: "500 No cluster leader" }),
      6: () => (world.nomad.nodes = nodes),
      8: dies,
    },
  });
  expect(lines.at(-1)).toBe("+8s broker-0-0: the record broker-0-0-node of its dead machine is purged");
});

test("a purge that fails is tried again, and never fails a group that is ready", async () => {
  dies();
  let failures = 2;
  await forget({ purge: () => (failures-- > 0 ? new UserError("no leader") : undefined) });
  expect(lines).toEqual([
    "+0s   still: broker-0-0: the record broker-0-0-node of its dead machine is not purged: no leader",
    "+4s broker-0-0: the record broker-0-0-node of its dead machine is purged",
  ]);
  world = observed(replaced("broker-0-0"));
  await forget({ purge: () => new UserError("not allowed") });
  expect(lines.at(-1)).toContain("is not purged: not allowed; it stays, so remove it later: rollout gc");
});

test("refuses to hide a bug, or to go on when it is ended", async () => {
  dies();
  await expect(forget({ purge: () => new TypeError("bug") })).rejects.toThrow(new TypeError("bug"));
  const signal = AbortSignal.abort(new Interruption("interrupted"));
  await expect(forget({ signal })).rejects.toThrow("interrupted");
});
