import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, jest, test } from "@jest/globals";
import { prepareOnce } from "./prepare.js";

/** Something real that a test runs against. `aws` and `null` are Terraform's providers; `sshd` stands for all of OpenSSH. */
export type Need =
  | "terraform"
  | "tofu"
  | "aws"
  | "null"
  | "moto"
  | "consul"
  | "nomad"
  | "ext4"
  | "sshd"
  | "fleet"
  | "kafka"
  | "rocketmq";

/** What cannot be had everywhere, so that not even `ROLLOUT_TEST_REQUIRE=all` demands it. It is named all the same. */
const mayBeMissing: ReadonlySet<Need> = new Set<Need>(["nomad", "tofu", "fleet", "kafka", "rocketmq"]);

/** What a test with real programs works with. */
export interface RealEnvironment {
  /** The Terraform or OpenTofu binary. */
  readonly terraform: string;
  /** The OpenTofu binary, whatever `terraform` is. */
  readonly tofu: string;
  /** The Consul and Nomad binaries. */
  readonly consul: string;
  readonly nomad: string;
  /** To be merged into the environment of every child process (`execa` does that with its option `env`). */
  readonly env: Readonly<Record<string, string>>;
}

const realTimeout = 300_000;

const prepared = await prepareOnce();

/**
 * Declares tests that run against real programs. Where one of those is missing, the tests are skipped and the reason is told at
 * the end of the run; with `ROLLOUT_TEST_REQUIRE=all` that is a failing test instead.
 *
 * The timeout of the whole test file is raised to 5 minutes a test; long tests set their own.
 */
export function describeReal(
  title: string,
  needs: readonly Need[],
  body: (env: RealEnvironment) => void,
): void {
  const why = reasons(needs).join("; ");
  if (why === "") {
    jest.setTimeout(realTimeout);
    describe(title, () => {
      body(realEnvironment());
    });
  } else if (process.env["ROLLOUT_TEST_REQUIRE"] === "all" && isDemanded(needs)) {
    test(`${title}: what it needs is there`, () => {
      throw new Error(`cannot run, and ROLLOUT_TEST_REQUIRE=all: ${why}`);
    });
  } else {
    note(`${title}: ${why}`);
    describe.skip(`${title} (${why})`, () => {
      body(realEnvironment());
    });
  }
}

/** Whether something is missing that can be had. */
function isDemanded(needs: readonly Need[]): boolean {
  return reasons(needs.filter((need) => !mayBeMissing.has(need))).length > 0;
}

function reasons(needs: readonly Need[]): string[] {
  const results = needs.map((need) => prepared[need]);
  return [...new Set(results.flatMap((result) => (result.ok ? [] : [result.reason])))];
}

function realEnvironment(): RealEnvironment {
  const terraform = prepared.terraform.ok ? prepared.terraform.binary : "terraform";
  return {
    terraform,
    tofu: prepared.tofu.ok ? prepared.tofu.binary : "tofu",
    consul: prepared.consul.ok ? prepared.consul.binary : "consul",
    nomad: prepared.nomad.ok ? prepared.nomad.binary : "nomad",
    env: {
      TERRAFORM_BINARY_NAME: terraform,
      TF_CLI_CONFIG_FILE: prepared.cliConfig,
      TF_PLUGIN_CACHE_DIR: pluginCache(),
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      CHECKPOINT_DISABLE: "1",
      DISABLE_VERSION_CHECK: "1",
      CI: "1",
      // Terraform and its providers live for seconds: a fifth of their time goes into collecting what ends with them anyway.
      GOGC: "400",
      // Jest's own options are not meant for the programs that the tests start.
      NODE_OPTIONS: "",
    },
  };
}

/**
 * Holds links only. It is set so that no stand-in gets into the person's own plugin cache, and each worker has its own because
 * Terraform's cache is not safe for several `init`s at once.
 */
function pluginCache(): string {
  const folder = join(runFolder(), `plugin-cache-${process.env["JEST_WORKER_ID"] ?? "0"}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Leaves a line for `global-teardown.ts`. */
function note(line: string): void {
  mkdirSync(runFolder(), { recursive: true });
  writeFileSync(join(runFolder(), `not-run-${randomUUID()}`), line);
}

function runFolder(): string {
  return process.env["ROLLOUT_TEST_RUN"] ?? join(tmpdir(), `rollout-tests-${String(process.pid)}`);
}
