import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { rolled, SimulatedDemo } from "./simulated-demo.js";

const WRONG = renderServersFile(["10.9.9.9"]);

describeReal("A machine whose own list of Consul servers was broken by hand", ["terraform"], (real) => {
  let demo: SimulatedDemo;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });
  afterAll(() => demo.remove());

  const breakList = (host: string): Promise<void> => demo.machines.serversFile(host).write(WRONG);
  const isRight = async (host: string): Promise<boolean> =>
    (await demo.machines.serversFile(host).read()).content === renderServersFile(servers());
  const servers = (): string[] =>
    demo.machines
      .list()
      .flatMap(({ role, address }) => (role === "consul-server" ? [address] : []))
      .sort();

  test("is warned of in the preflight and configured before a Consul server leaves", async () => {
    const image = await demo.prepare("consul-server-1");
    await breakList("broker-1-0");
    await rm(join(demo.runFolder, "machines", "nomad-server-0-0", "consul.d", "rollout-servers.json"));

    const { exitCode, output } = await demo.deploy("consul-server-1");

    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    const lines = output.split("\n").map((line) => line.replace(/^.*?\+\d+s /, ""));
    const at = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
    const places = [
      at(
        /warning: broker-1-0: its own list of Consul servers names 10\.9\.9\.9, and there are .*; once it is confirmed, the roll configures it first/,
      ),
      at(/broker-1-0: its list of Consul servers is written/),
      at(/snapshot-consul: /),
    ];
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(-1);
    expect(output).toContain(
      "warning: nomad-server-0-0: its own list of Consul servers names nobody, and there are ",
    );
    expect(output).toContain("nomad-server-0-0: its list of Consul servers is written");
    expect(await demo.outcome("consul-server-1")).toEqual(rolled("consul-server-1", image));
    for (const { name } of demo.machines.list()) expect([name, await isRight(name)]).toEqual([name, true]);
  });

  longTest(
    "holds the gate under Terraform, and is configured by the command that the gate names",
    async () => {
      const image = await demo.prepare("consul-server-2");
      const [long, short] = ["ready: { timeout: 4h }", "ready: { timeout: 10m }"] as const;
      await demo.workspace.edit([long, short]);
      await demo.workspace.synth();
      // As if Terraform had been killed: its hook counts as done.
      await demo.workspace.tamper("consul-server-2", ({ resource }) => {
        const [hook] = resource["terraform_data"]?.["broker-1-0-config-consul"]?.provisioner ?? [];
        if (!hook) throw new Error("no such hook");
        Object.assign(hook["local-exec"], { command: "true" });
      });
      const { exitCode, errors } = await demo.workspace.apply("consul-server-2");
      expect(exitCode).toBe(1);
      expect(errors.join("\n")).toMatch(
        /server-lists \(9 of 10\): broker-1-0: its own list of Consul servers names .*, and there are .*; what is wrong is configured by: rollout deploy consul-server-2/,
      );
      await demo.workspace.edit([short, long]);

      const run = await demo.deploy("consul-server-2");

      expect([run.exitCode, run.exitCode === 0 ? "" : run.output]).toEqual([0, ""]);
      expect(run.output).toContain("broker-1-0: its list of Consul servers is written");
      expect(await isRight("broker-1-0")).toBe(true);
      expect(await demo.outcome("consul-server-2")).toMatchObject({
        revisions: { "consul-server-2": 1 },
        images: { "consul-server-2-0": image },
        phase: "healthy",
      });
    },
  );
});
