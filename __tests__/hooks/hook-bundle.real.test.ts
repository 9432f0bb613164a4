import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a hook says here, and what that of a later version says. */
const [SAYS, LATER] = ["this cluster on platform local has no agents", "of a later version"];

describeReal("The hooks of a roll, while its checkout is built again", ["terraform"], (real) => {
  let checkout: string;
  const dist = (...path: string[]): string => join(checkout, "dist", ...path);
  const bundles = (): string[] => readdirSync(dist("bin", "hooks")).filter((name) => name !== "current");
  const build = () => execa(process.execPath, [join(root, "scripts", "bundle.mjs")], { cwd: checkout });

  /** Called as Terraform does it. @returns what it said */
  const hook = async (): Promise<string> => {
    const call = "node ../../../dist/bin/rollout.js hook leave broker-0 --hash 0 --stay broker-0-0";
    const { all } = await execa(call, { cwd: stack(), shell: true, all: true, reject: false });
    return all;
  };
  const stack = (file = ""): string => join(checkout, "cdktf.out", "demo", "cluster", file);
  const synthesize = async (): Promise<string> => {
    await execa(process.execPath, [dist("main.js")], { cwd: checkout, env: real.env });
    return readFileSync(stack("cdk.tf.json"), "utf8");
  };
  const edit = (from: string, to: string): void => {
    const file = dist("hooks", "run-hook.js");
    const text = readFileSync(file, "utf8");
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to));
  };

  beforeAll(async () => {
    checkout = realpathSync(mkdtempSync(join(tmpdir(), "rollout-build-")));
    cpSync(join(root, "dist"), dist(), { recursive: true });
    rmSync(dist("bin"), { recursive: true });
    for (const name of ["node_modules", "package.json"]) symlinkSync(join(root, name), join(checkout, name));
    mkdirSync(join(checkout, ".git"));
    writeFileSync(join(checkout, "cluster.yaml"), LOCAL_EXAMPLE);
    await build();
  });

  afterAll(() => {
    rmSync(checkout, { recursive: true });
  });

  test("are those that its stack was made with, and are found at every moment", async () => {
    const before = await synthesize();
    const [first] = bundles();
    expect(JSON.parse(readFileSync(stack("hooks.json"), "utf8"))).toMatchObject({ bundle: first });
    expect(await hook()).toContain(SAYS);
    edit(SAYS, LATER);
    const said: string[] = [];
    const under = { way: true };
    const building = build().finally(() => {
      under.way = false;
    });
    while (under.way) said.push(await hook());
    await building;
    said.push(await hook());
    expect(said.length).toBeGreaterThan(1);
    expect(said.filter((text) => !text.includes(SAYS))).toEqual([]);
    expect(bundles()).toHaveLength(2);
    // A stack does not differ by what is built.
    expect(await synthesize()).toBe(before);
    expect(await hook()).toContain(LATER);
  });

  test("are those of the last build where a stack of an earlier version names none, or one that is not here", async () => {
    for (const bundle of [undefined, "0123456789abcdef", "../../hooks", 7]) {
      const file = JSON.parse(readFileSync(stack("hooks.json"), "utf8")) as object;
      writeFileSync(stack("hooks.json"), JSON.stringify({ ...file, bundle }));
      if (bundle !== 7) expect(await hook()).toContain(LATER);
      else expect(await hook()).toContain("hooks.json is damaged");
    }
  });

  test("are kept for a week after the last build that made them, and are in no package", async () => {
    const kept = readFileSync(dist("bin", "hooks", "current"), "utf8").trim();
    const [old = ""] = bundles().filter((name) => name !== kept);
    expect(readFileSync(dist("bin", ".npmignore"), "utf8")).toContain(`/hooks/${old}\n`);
    const week = Date.now() / 1000 - 7 * 24 * 3600;
    utimesSync(dist("bin", "hooks", old), week + 60, week + 60);
    utimesSync(dist("bin", "hooks", kept), week - 60, week - 60);
    await build();
    expect(bundles()).toContain(old);
    utimesSync(dist("bin", "hooks", old), week - 60, week - 60);
    await build();
    expect(bundles()).toEqual([kept]);
    expect(existsSync(dist("bin", "hooks", kept, "hook.js"))).toBe(true);
  });
});
