import { expect, test } from "@jest/globals";
import { App, TerraformStack } from "cdktf";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostGroupProps } from "../../constructs/host-group-props.js";
import { HostPool } from "../../constructs/host-pool.js";
import { LocalPlatform } from "../../constructs/local/local-platform.js";
import { readDeclared } from "../../guard/declared.js";
import type { GroupIndex } from "../../cluster/three.js";

test("a pool leaves out a group of which the view has nothing to render", () => {
  const groups = [undefined, group("broker", 1, 2), undefined] as const;
  const addresses = declared(
    (stack) => new HostPool(stack, new LocalPlatform("demo"), { name: "broker", groups }),
  );
  expect(addresses).toEqual([
    "terraform_data.broker-1-0",
    "terraform_data.broker-1-0-config-consul",
    "terraform_data.broker-1-1",
    "terraform_data.broker-1-1-config-consul",
    "terraform_data.broker-1-leave",
    "terraform_data.broker-1-ready",
    "terraform_data.broker-1-revision",
  ]);
});

test("a group runs its hooks, and nothing where it has none", () => {
  const textWith = (props: Partial<HostGroupProps>): string => {
    const groups = [{ ...group("broker", 0, 1), ...props }, undefined, undefined] as const;
    const stack = stackOf(
      (view) => new HostPool(view, new LocalPlatform("demo"), { name: "broker", groups }),
    );
    return JSON.stringify(stack);
  };
  expect(textWith({ hooks: "../rollout.js" }).match(/hook [a-z-]+ broker-0/g)).toEqual([
    "hook configure-consul broker-0",
    "hook leave broker-0",
    "hook ready broker-0",
  ]);
  expect(textWith({})).not.toContain("provisioner");
});

function group(pool: string, index: GroupIndex, hosts: number): HostGroupProps {
  return {
    pool,
    index,
    name: `${pool}-${String(index)}`,
    hash: "0123456789",
    hosts: Array.from({ length: hosts }, (_, number) => ({
      number,
      image: "v1",
      instanceType: "small",
      hash: "0123456789",
    })),
    volumes: [],
    balanced: false,
    revisions: [],
    attempts: { numbers: new Map(), fresh: new Set() },
    protect: () => "live",
    includes: () => true,
    consul: { cluster: "demo", servers: [], starts: [], replaced: [], rollOf: () => undefined },
  };
}

const declared = (add: (stack: TerraformStack) => unknown): string[] =>
  readDeclared(stackOf(add))
    .map(({ address }) => address)
    .sort();

function stackOf(add: (stack: TerraformStack) => unknown): unknown {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
  try {
    const stack = new TerraformStack(new App({ outdir }), "view");
    add(stack);
    return stack.toTerraform();
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
