import { describe, expect, test } from "@jest/globals";
import {
  confirmAll,
  confirmBy,
  refuseUnasked,
  type ConfirmOptions,
  type Question,
} from "../../driver/confirm.js";
import type { UserError } from "../../cluster/user-error.js";

const SUMMARY = { view: "broker-1", groups: [], changes: [], frozen: [] };
const PLAN = { summary: SUMMARY, tool: "Terraform", laterHosts: [] } as const;
const BROKER: Question = { group: "broker-1", role: "client", ...PLAN };
const SERVER: Question = { group: "nomad-server-1", role: "nomad-server", ...PLAN };

/** What a question comes to, with the answers that a person gives; none of them asks without a terminal. */
async function ask(question: Question, options: Partial<ConfirmOptions> = {}): Promise<string> {
  const shown: Question[] = [];
  const confirm = confirmBy({
    yes: false,
    confirmed: [],
    ask: undefined,
    show: (each) => shown.push(each),
    ...options,
  });
  try {
    await confirm(question);
  } catch (error) {
    const { message, exitCode } = error as UserError;
    return `${String(exitCode)}: ${message}`;
  } finally {
    expect(shown).toEqual([question]);
  }
  return "confirmed";
}

const answering =
  (answer: string | undefined, asked: string[] = []) =>
  (question: string): Promise<string | undefined> => {
    asked.push(question);
    return Promise.resolve(answer);
  };

describe("clients", () => {
  test.each(["y", "Y", "yes"])("are rolled after the answer %s", async (answer) => {
    expect(await ask(BROKER, { ask: answering(answer) })).toBe("confirmed");
  });

  test.each(["", "n", "yesterday", "broker-1", undefined])("refuses after the answer %s", async (answer) => {
    expect(await ask(BROKER, { ask: answering(answer) })).toBe(
      "1: nothing was done: broker-1 was not confirmed",
    );
  });

  test("refuses a change in place of the same, and says nothing of its machines", async () => {
    const asked: string[] = [];
    const question = { ...BROKER, isInPlace: true };
    expect(await ask(question, { ask: answering("n", asked) })).toBe(
      "1: the data volumes of broker-1 stay as they are: their change was not confirmed",
    );
    expect(asked).toEqual(["Change the data volumes of broker-1? [y/N] "]);
  });

  test("are rolled without a question by --yes, and by their name in --confirm", async () => {
    const asked: string[] = [];
    expect(await ask(BROKER, { yes: true, ask: answering("n", asked) })).toBe("confirmed");
    expect(await ask(BROKER, { confirmed: ["broker-1"], ask: answering("n", asked) })).toBe("confirmed");
    expect(asked).toEqual([]);
  });

  test("refuses where nobody can be asked, naming the flag", async () => {
    expect(await ask(BROKER)).toBe(
      "2: nobody can be asked whether broker-1 may be rolled: say so with --yes",
    );
    expect(await ask(BROKER, { confirmed: ["broker-2"] })).toBe(
      "2: nobody can be asked whether broker-1 may be rolled: say so with --yes",
    );
  });
});

describe("servers", () => {
  test("are rolled after their name is typed", async () => {
    const asked: string[] = [];
    expect(await ask(SERVER, { ask: answering("nomad-server-1", asked) })).toBe("confirmed");
    expect(asked).toEqual(["Type nomad-server-1 to roll it: "]);
  });

  test.each(["y", "yes", "nomad-server-2", undefined])("refuses after the answer %s", async (answer) => {
    expect(await ask(SERVER, { ask: answering(answer), yes: true })).toBe(
      "1: nothing was done: nomad-server-1 was not confirmed",
    );
  });

  test("refuses --yes alone where nobody can be asked, naming the flag", async () => {
    expect(await ask(SERVER, { yes: true })).toBe(
      "2: nomad-server-1 is a group of servers, and nobody can be asked: say so with --confirm nomad-server-1",
    );
    expect(await ask(SERVER, { confirmed: ["nomad-server-1"] })).toBe("confirmed");
  });
});

describe("before anything is begun", () => {
  const nobody = { yes: false, confirmed: [], ask: undefined };

  test("refuses all at once what nobody can be asked about", () => {
    const second = { ...SERVER, group: "nomad-server-2" };
    expect(() => {
      refuseUnasked([SERVER, second, BROKER], nobody);
    }).toThrowErrorMatchingInlineSnapshot(`
     "nomad-server-1, nomad-server-2 are groups of servers, and nobody can be asked: say so with --confirm nomad-server-1 nomad-server-2
     nobody can be asked whether broker-1 may be rolled: say so with --yes"
    `);
    expect(() => {
      refuseUnasked([SERVER, second], { ...nobody, confirmed: ["nomad-server-1"], yes: true });
    }).toThrowErrorMatchingInlineSnapshot(
      `"nomad-server-2 is a group of servers, and nobody can be asked: say so with --confirm nomad-server-2"`,
    );
  });

  test("lets pass what has its flag, and whatever can be asked", () => {
    refuseUnasked([SERVER, BROKER], { ...nobody, confirmed: ["nomad-server-1"], yes: true });
    refuseUnasked([SERVER, BROKER], { ...nobody, ask: answering("n") });
  });
});

describe("a whole roll", () => {
  const other = { ...BROKER, group: "broker-2" };
  const askAll = async (
    groups: Parameters<typeof confirmAll>[0],
    options: Partial<ConfirmOptions>,
  ): Promise<string> => {
    try {
      await confirmAll(groups, "demo", { yes: false, confirmed: [], ask: undefined, ...options });
    } catch (error) {
      return (error as UserError).message;
    }
    return "confirmed";
  };

  test("is asked once: yes or no for clients, the cluster's name with servers among them", async () => {
    const asked: string[] = [];
    expect(await askAll([BROKER, other], { ask: answering("y", asked) })).toBe("confirmed");
    expect(await askAll([SERVER, BROKER], { ask: answering("demo", asked) })).toBe("confirmed");
    expect(asked).toEqual(["Roll these 2 groups? [y/N] ", "Type demo to roll these 2 groups: "]);
  });

  test("is not asked about where flags say yes, and asked as clients where servers have theirs", async () => {
    const asked: string[] = [];
    const ask = answering("y", asked);
    expect(await askAll([SERVER, BROKER], { yes: true, confirmed: ["nomad-server-1"], ask })).toBe(
      "confirmed",
    );
    expect(asked).toEqual([]);
    expect(await askAll([SERVER, BROKER], { confirmed: ["nomad-server-1"], ask })).toBe("confirmed");
    expect(asked).toEqual(["Roll these 2 groups? [y/N] "]);
  });

  test.each([
    [[BROKER, other], "demo"],
    [[SERVER, BROKER], "y"],
    [[SERVER, BROKER], undefined],
  ])("refuses after another answer", async (groups, answer) => {
    expect(await askAll(groups, { ask: answering(answer) })).toBe(
      "nothing was done: these 2 groups were not confirmed",
    );
  });

  test("refuses where nobody can be asked, naming the flags", async () => {
    expect(await askAll([SERVER, BROKER], { yes: true })).toBe(
      "nomad-server-1 is a group of servers, and nobody can be asked: say so with --confirm nomad-server-1",
    );
  });
});
