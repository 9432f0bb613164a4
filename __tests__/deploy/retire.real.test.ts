import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LOCAL_CLUSTER } from "../../scripts/recording/local-cluster.js";
import { describeReal } from "../support/environment.js";
import { placeOf } from "./terraform-run.js";
import { QUIET_HOOKS, Workspace } from "./workspace.js";

describeReal("A pool that leaves for good", ["terraform"], (real) => {
  let demo: Workspace;

  const inState = async (): Promise<string[]> =>
    (await demo.state()).resources.map(({ name }) => name).filter((name) => name.startsWith("broker-"));

  beforeAll(async () => {
    demo = await Workspace.create(real, LOCAL_CLUSTER);
    await demo.with(QUIET_HOOKS).roll("cluster");
  });

  afterAll(async () => {
    await demo.remove();
  });

  test("goes group by group, each after its hook, and its records at the end", async () => {
    const said = await demo.rollout(["retire", "broker", "--confirm", "broker"]);
    expect(said).toEqual({
      exitCode: 0,
      output: [
        "broker retires (keep-volumes), as <folder>/demo.yaml says now; take the key out again, and it comes back",
        "next: npx rollout deploy broker-0",
      ].join("\n"),
    });

    const first = await demo.roll("broker-0");
    const left = placeOf(first, "complete", "delete", "terraform_data.broker-0-leave");
    for (const host of ["broker-0-0", "broker-0-1"]) {
      expect(placeOf(first, "start", "delete", `terraform_data.${host}-config-consul`)).toBeGreaterThan(left);
      expect(placeOf(first, "start", "delete", `terraform_data.${host}`)).toBeGreaterThan(left);
    }
    expect((await inState()).filter((name) => name.startsWith("broker-0-")).sort()).toEqual([
      "broker-0-0-data",
      "broker-0-1-data",
      "broker-0-leave",
      "broker-0-ready",
      "broker-0-revision",
    ]);
    expect((await demo.status()).next).toBe("npx rollout deploy broker-1");

    for (const group of ["broker-1", "broker-2"]) await demo.roll(group);
    expect((await demo.status()).next).toBe("npx rollout deploy cluster");
    const last = await demo.roll("cluster");
    expect(await inState()).toEqual([]);
    // What is forgotten is not destroyed.
    expect(last.events.filter(({ address }) => address.endsWith("-data"))).toEqual([]);
    expect((await demo.status()).leftovers).toEqual([
      { pool: "broker", volumes: "keep-volumes", addresses: 0 },
    ]);
  });

  test("comes back where the key is taken out before its end, with the data volumes that it had", async () => {
    const back = await Workspace.create(real, LOCAL_CLUSTER);
    try {
      await back.roll("cluster");
      const before = volumesOf(await back.state());
      await back.rollout(["retire", "broker", "--confirm", "broker"]);
      await back.roll("broker-0");
      await back.write(LOCAL_CLUSTER);
      await back.roll("broker-0");
      expect(volumesOf(await back.state())).toEqual(before);
      expect((await back.status()).groups.every(({ state }) => state === "current")).toBe(true);
    } finally {
      await back.remove();
    }
  });
});

const volumesOf = ({ resources }: Awaited<ReturnType<Workspace["state"]>>): unknown[] =>
  resources
    .filter(({ name }) => /^broker-0-\d-data$/.test(name))
    .map(({ name, instances }) => [name, instances[0]?.attributes["id"]]);
