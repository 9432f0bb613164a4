import { expect, test } from "@jest/globals";
import { downgradeOf } from "../../../rollout/edit/downgrade.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { templateHash } from "../../../cluster/template-hash.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../../support/fixtures.js";

const before = localSpec();

/** A cluster on ami-0aaa, in which these Consul servers run ami-0bbb; it was recorded but of those that did not become ready. */
function rolled(names: readonly string[], unready: readonly string[] = []): [typeof before, Deployed] {
  const spec = change(before, (draft) => {
    for (const name of names) poolOf(draft, "consul-server").images[Number(name.at(-1)) as 0] = "ami-0bbb";
  });
  const deployed = names.reduce((all, name) => {
    const { hosts, revisions } = groupIn(all, name);
    const template = { image: "ami-0bbb", instanceType: "t3.small", generation: 0 };
    const next = { ...template, number: 2, hash: templateHash(template), cause: "any" };
    return withGroup(all, name, {
      hosts: hosts.map((host) => ({ ...host, image: "ami-0bbb" })),
      ...(unready.includes(name) ? {} : { revisions: [...revisions, next] }),
    });
  }, deployedAs(before));
  return [spec, deployed];
}

const back = (
  [spec, deployed]: ReturnType<typeof rolled>,
  name: string,
  versions: Record<string, string> = {},
): string | undefined => downgradeOf({ spec, deployed }, name, "ami-0aaa", new Map(Object.entries(versions)));

const ONE = "consul-server-1";
const NEWER = { "consul-server-1-0": "1.10.2", "consul-server-2-0": "1.9.17" };

test("a server goes back where none of the newer version was ever recorded", () => {
  expect(back(rolled([ONE], [ONE]), ONE, NEWER)).toBeUndefined();
});

test("refuses where another server that votes runs the newer version", () => {
  expect(back(rolled(["consul-server-0", ONE], [ONE]), ONE, NEWER)).toBe(
    "consul-server-1 would go back from ami-0bbb (1.10.2) to ami-0aaa (1.9.17), which may be a downgrade: consul-server-0 has run the newer one, and an older server need not read what a newer one wrote",
  );
});

test("refuses where its own revision with the newer version was recorded", () => {
  expect(back(rolled([ONE]), ONE, NEWER)).toMatch(/ami-0aaa \(1\.9\.17\), .*: consul-server-1 has run the/);
});

test("refuses where no server says a version: another image may be one", () => {
  expect(back(rolled([ONE]), ONE)).toMatch(
    /from ami-0bbb \(version unknown\) to ami-0aaa \(version unknown\)/,
  );
});

test("another image of the same version, or of a newer one, is no downgrade", () => {
  expect(back(rolled([ONE]), ONE, { ...NEWER, "consul-server-1-0": "1.9.17" })).toBeUndefined();
  expect(back(rolled([ONE]), ONE, { ...NEWER, "consul-server-1-0": "1.9.3" })).toBeUndefined();
});

test("neither clients nor a server of the same image are held back", () => {
  expect(back(rolled([ONE]), "broker-0")).toBeUndefined();
  expect(back(rolled([ONE]), "consul-server-0")).toBeUndefined();
});
