import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { printedBy } from "../../../clients/terraform/plan.js";
import { findTerraform } from "../../../clients/terraform/find.js";
import { jsonOf, runTerraform, terraformVersion } from "../../../clients/terraform/terraform.js";
import { describeReal } from "../../support/environment.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-terraform-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("Which binary", () => {
  test("is terraform, when both are there", async () => {
    await program("tofu", "");
    await program("terraform", "");
    expect(await findTerraform({ PATH: folder })).toBe(join(folder, "terraform"));
  });

  test("is tofu, when terraform is not there", async () => {
    await program("tofu", "");
    expect(await findTerraform({ PATH: folder, TERRAFORM_BINARY_NAME: "" })).toBe(join(folder, "tofu"));
  });

  test("is the named one, on the PATH or anywhere", async () => {
    await program("terraform", "");
    const tofu = await program("tofu", "");
    expect(await findTerraform({ PATH: folder, TERRAFORM_BINARY_NAME: "tofu" })).toBe(tofu);
    expect(await findTerraform({ PATH: "", TERRAFORM_BINARY_NAME: tofu })).toBe(tofu);
  });

  test("is the first on the PATH that is a program", async () => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    await mkdir(join(first, "terraform"), { recursive: true });
    await mkdir(second);
    await writeFile(join(second, "tofu"), "no program");
    const terraform = await program("second/terraform", "");
    expect(await findTerraform({ PATH: ["", first, second].join(delimiter) })).toBe(terraform);
  });

  test("rejects a machine without any", async () => {
    expect(await refusal(findTerraform({ PATH: folder }, folder))).toMatchInlineSnapshot(
      `"Terraform is not installed: looked for terraform and tofu on the PATH; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install), or name a binary by TERRAFORM_BINARY_NAME"`,
    );
  });

  test("rejects a name that is nowhere, though terraform is there", async () => {
    await program("terraform", "");
    const env = { PATH: folder, TERRAFORM_BINARY_NAME: "terrafrom" };
    expect(await refusal(findTerraform(env))).toMatchInlineSnapshot(
      `"Terraform is not installed: TERRAFORM_BINARY_NAME names terrafrom, which is no program on the PATH; correct it, or install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"`,
    );
  });
});

test("rejects setup-terraform's wrapper by its name", async () => {
  await program(
    "terraform",
    `echo '[command]/bin/terraform-bin version -json'; echo '{}'; echo '::debug::exit 0'`,
  );
  expect(await refusal(terraformVersion(options()))).toBe(
    "FOLDER/terraform is setup-terraform's wrapper, which adds lines to what is read here: set terraform_wrapper: false in the workflow",
  );
});

describe("A run", () => {
  test("returns what was printed and how it ended, also when it failed", async () => {
    await program("terraform", 'echo "$PWD: $*"; echo no >&2; exit 3');
    expect(await runTerraform(["plan", "-out=a b"], options())).toEqual({
      stdout: `${folder}: plan -out=a b`,
      stderr: "no",
      exitCode: 3,
    });
  });

  test("asks nobody and calls no one, whatever the environment says", async () => {
    await program("terraform", 'echo "$CHECKPOINT_DISABLE $TF_IN_AUTOMATION $TF_LOG"; cat');
    const { stdout } = await runTerraform([], options({ CHECKPOINT_DISABLE: "", TF_LOG: "trace" }));
    expect(stdout).toBe("1 1 trace");
  });

  test.each(["init", "validate", "show", "state", "version"])(
    "has no token of an agent at %s",
    async (command) => {
      await program("terraform", 'echo "$CONSUL_HTTP_TOKEN$CONSUL_HTTP_AUTH$NOMAD_TOKEN"');
      const tokens = { CONSUL_HTTP_TOKEN: "consul", CONSUL_HTTP_AUTH: "user:word", NOMAD_TOKEN: "nomad" };
      expect((await runTerraform([command], options(tokens))).stdout).toBe("");
    },
  );

  test.each(["plan", "apply"])("has the agents' tokens at %s, where providers run", async (command) => {
    await program("terraform", 'echo "$CONSUL_HTTP_TOKEN$NOMAD_TOKEN"');
    const tokens = { CONSUL_HTTP_TOKEN: "consul", NOMAD_TOKEN: "nomad" };
    expect((await runTerraform([command], options(tokens))).stdout).toBe("consulnomad");
  });

  test("rejects one that a signal ended", async () => {
    await program("terraform", "kill -KILL $$");
    expect(await refusal(runTerraform(["apply"], options()))).toMatchInlineSnapshot(
      `"Terraform was ended by SIGKILL: terraform apply; run it again"`,
    );
  });

  test("calls OpenTofu by its name", async () => {
    const tofu = options({ TERRAFORM_BINARY_NAME: "tofu" });
    await program("tofu", "kill -KILL $$");
    expect(await refusal(runTerraform(["show"], tofu))).toBe(
      "OpenTofu was ended by SIGKILL: tofu show; run it again",
    );
    await program("tofu", `echo '{"terraform_version":"1.8.9"}'`);
    expect(await refusal(terraformVersion(tofu))).toMatch(/^OpenTofu is too old: /);
    await program("tofu", "exit 1");
    await expect(printedBy(["init"], tofu)).rejects.toThrow(/^tofu init failed: /);
  });

  test("rejects a file that cannot be started", async () => {
    await writeFile(join(folder, "terraform"), "#!/nowhere/sh\n", { mode: 0o755 });
    expect(await refusal(runTerraform(["version"], options()))).toMatchInlineSnapshot(
      `"Terraform cannot be started: terraform version: spawn FOLDER/terraform ENOENT; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"`,
    );
  });
});

describe("The version", () => {
  test("is read behind the warnings that OpenTofu prints", async () => {
    const warning = "\\n╷\\n│ Warning: Unable to open CLI configuration file\\n╵\\n\\n";
    await program("terraform", `printf '${warning}{\\n  "terraform_version": "1.12.0"\\n}\\n'`);
    expect(await terraformVersion(options())).toEqual({
      binary: join(folder, "terraform"),
      version: "1.12.0",
    });
  });

  test.each(["1.9.0", "1.10.0-rc1", "2.0.0"])("may be %s", async (version) => {
    await program("terraform", `echo '{"terraform_version":"${version}"}'`);
    expect(await terraformVersion(options())).toMatchObject({ version });
  });

  test.each(["0.15.5", "1.8.9"])("rejects %s", async (version) => {
    await program("terraform", `echo '{"terraform_version":"${version}"}'`);
    expect(await refusal(terraformVersion(options()))).toBe(
      `Terraform is too old: FOLDER/terraform is ${version}; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)`,
    );
  });

  test("rejects a program that is something else", async () => {
    await program("terraform", "echo 'No version is set for command terraform' >&2; exit 126");
    expect(await refusal(terraformVersion(options()))).toMatchInlineSnapshot(
      `"no version of Terraform: FOLDER/terraform version -json answered "No version is set for command terraform"; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"`,
    );
    await program("terraform", "echo '{}'");
    expect(await refusal(terraformVersion(options()))).toMatchInlineSnapshot(
      `"no version of Terraform: FOLDER/terraform version -json answered "{}"; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"`,
    );
    await program("terraform", "");
    expect(await refusal(terraformVersion(options()))).toMatchInlineSnapshot(
      `"no version of Terraform: FOLDER/terraform version -json answered "exit code 0"; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"`,
    );
  });
});

test("the JSON in an output begins at the first line that can begin it", () => {
  expect(jsonOf('{"a":1}')).toBe('{"a":1}');
  expect(jsonOf('Warning: {x}\n\n{\n"a":1}\n')).toBe('{\n"a":1}\n');
  expect(jsonOf("[1]")).toBe("[1]");
  expect(jsonOf("nothing")).toBe("");
});

describeReal("The real Terraform", ["terraform"], ({ env }) => {
  test("says its version", async () => {
    const { version } = await terraformVersion({ cwd: folder, env });
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("writes the states that the fixtures hold", async () => {
    const configuration = {
      terraform: { backend: { local: { path: "demo.tfstate" } } },
      resource: {
        terraform_data: { "broker-0-0": { input: { cluster: "demo" }, triggers_replace: "hash" } },
      },
    };
    await writeFile(join(folder, "main.tf.json"), JSON.stringify(configuration));
    for (const args of [["init"], ["apply", "-auto-approve"]]) {
      expect(await runTerraform([...args, "-input=false"], { cwd: folder, env })).toMatchObject({
        exitCode: 0,
      });
    }
    expect(JSON.parse(await readFile(join(folder, "demo.tfstate"), "utf8"))).toMatchObject({
      version: 4,
      resources: [
        {
          mode: "managed",
          type: "terraform_data",
          name: "broker-0-0",
          instances: [
            {
              attributes: {
                input: { value: { cluster: "demo" }, type: ["object", { cluster: "string" }] },
                triggers_replace: { value: "hash", type: "string" },
              },
            },
          ],
        },
      ],
    });
  });
});

/** Puts a shell script into the folder. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: folder,
  env: { PATH: [folder, process.env["PATH"]].join(delimiter), TERRAFORM_BINARY_NAME: "", ...env },
});

async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof Error) return error.message.replaceAll(folder, "FOLDER");
  }
  throw new Error("it was not refused");
}
