import { describe, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { isForReview } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { baselineOf } from "../../stacks/baseline.js";
import {
  addViewsTo,
  change,
  deployedAs,
  exampleSpec,
  groupIn,
  nothing,
  poolOf,
  resourcesOf,
  smallSpec,
  synthesize,
} from "../support/fixtures.js";

const small = smallSpec();
const standing = deployedAs(small);

test("all views of a cluster have one backend, and the same addresses", () => {
  const views = ["cluster", "broker-0", "consul-server-2"];
  const stacks = [...synthesize(small, standing, views).values()].map((text) => JSON.parse(text) as Written);
  expect(new Set(stacks.map(({ terraform }) => JSON.stringify(terraform.backend)))).toEqual(
    new Set(['{"local":{"path":"../../../terraform.demo.tfstate"}}']),
  );
  expect(
    new Set(
      stacks.map(({ resource }) =>
        Object.keys(resource["terraform_data"] ?? {})
          .sort()
          .join(),
      ),
    ),
  ).toHaveProperty("size", 1);
});

test("a view says in its plan what it is and which revisions it was made from", () => {
  const { variable } = JSON.parse(synthesize(small, standing, ["broker-0"]).get("broker-0") ?? "") as Written;
  expect(variable).toMatchObject({
    rollout_view: { default: "broker-0" },
    rollout_base: { default: { "broker-0": 1, "consul-server-2": 1 } },
  });
  expect(variable).not.toHaveProperty("rollout_review_only");
});

test("a view that was made for a review cannot be planned", () => {
  const deployed = baselineOf(small, "git:main");
  expect(isForReview(deployed.origin)).toBe(true);
  const { variable } = JSON.parse(synthesize(small, deployed, ["cluster"]).get("cluster") ?? "") as Written;
  expect(variable).toMatchObject({
    rollout_review_only: { default: true, validation: [{ condition: "${!var.rollout_review_only}" }] },
  });
});

test("a spec is its own baseline: all groups stand as it says, with every address that it declares", () => {
  const deployed = baselineOf(small, "git:main");
  expect(deployed.addresses).toEqual(new Set(resourcesOf(small, nothing(), "cluster").keys()));
  expect(groupIn(deployed, "broker-2").hosts).toMatchObject([{ name: "broker-2-0", image: "v1" }]);
});

test("an empty state is said aloud, as a warning of the stack", () => {
  expect(warningsOf(small, nothing())).toEqual([
    "the state terraform.demo.tfstate is empty: everything is new. If this cluster stands already, its backend is not the one that the spec names",
  ]);
  expect(warningsOf(small, standing)).toEqual([]);
  expect(warningsOf(small, baselineOf(small, "git:main"))).toEqual([
    "deployed is taken from git:main, not from the state: for a review only",
  ]);
});

test.each(["backend", "shared", "zones", "pools", "aws", "null", "rollout"])(
  "a pool may be called %s",
  (name) => {
    const spec = change(exampleSpec(), (edited) => {
      Object.assign(edited.pools, { [name]: poolOf(edited, "name-server") });
    });
    expect(resourcesOf(spec, nothing(), "cluster").has(`aws_instance.${name}-2-0`)).toBe(true);
  },
);

test("the version of the AWS provider is exact, the spec's where it names one", () => {
  const versions = (spec: Spec): unknown => {
    const { terraform } = JSON.parse(
      synthesize(spec, nothing(), ["cluster"]).get("cluster") ?? "",
    ) as Written;
    return terraform.required_providers?.aws?.version;
  };
  expect(versions(exampleSpec())).toMatch(/^\d+\.\d+\.\d+$/);
  const named = change(exampleSpec(), (spec) => {
    if (spec.platform === "aws") spec.aws.providerVersion = "5.100.0";
  });
  expect(versions(named)).toBe("5.100.0");
});

test("the local platform needs no provider", () => {
  const written = JSON.parse(synthesize(small, nothing(), ["cluster"]).get("cluster") ?? "") as Written;
  expect(written.terraform).not.toHaveProperty("required_providers");
  expect(Object.keys(written.resource)).toEqual(["terraform_data"]);
});

describe("the backend", () => {
  const backendOf = (backend: Spec["backend"]): unknown => {
    const spec = change(small, (edited) => {
      edited.backend = backend;
    });
    return (JSON.parse(synthesize(spec, nothing(), ["cluster"]).get("cluster") ?? "") as Written).terraform
      .backend;
  };

  test("of a local state is relative to the folder of the stack, or absolute as it is written", () => {
    expect(backendOf({ type: "local", path: "states/a.tfstate" })).toEqual({
      local: { path: "../../../states/a.tfstate" },
    });
    expect(backendOf({ type: "local", path: "/srv/a.tfstate" })).toEqual({
      local: { path: "/srv/a.tfstate" },
    });
  });

  test("in s3 is encrypted and locked, by a file or by the table that the spec names", () => {
    const s3 = { type: "s3", bucket: "states", key: "demo", region: "eu-west-1" } as const;
    expect(backendOf(s3)).toEqual({
      s3: { bucket: "states", key: "demo", region: "eu-west-1", encrypt: true, use_lockfile: true },
    });
    expect(backendOf({ ...s3, dynamodbTable: "locks", kmsKeyId: "k", usePathStyle: true })).toEqual({
      s3: {
        bucket: "states",
        key: "demo",
        region: "eu-west-1",
        encrypt: true,
        dynamodb_table: "locks",
        kms_key_id: "k",
        use_path_style: true,
      },
    });
  });
});

describe("the folder of a stack", () => {
  test("drops what Terraform remembers of another backend, and keeps it of the same", () => {
    const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
    try {
      const folder = join(outdir, "demo", "cluster", ".terraform");
      const remembered = join(folder, "terraform.tfstate");
      const synth = (path: string): void => {
        const app = new App({ outdir });
        const spec = change(small, (edited) => {
          edited.backend = { type: "local", path };
        });
        addViewsTo(app, spec, nothing(), ["cluster"]);
        app.synth();
      };
      synth("a.tfstate");
      mkdirSync(folder);
      writeFileSync(remembered, "{}");
      synth("a.tfstate");
      expect(existsSync(remembered)).toBe(true);
      synth("b.tfstate");
      expect(existsSync(remembered)).toBe(false);
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  });

  test("refuses a workspace that was selected there, which has another state", () => {
    const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
    try {
      const folder = join(outdir, "demo", "cluster", ".terraform");
      const synth = (): void => {
        const app = new App({ outdir });
        addViewsTo(app, small, nothing(), ["cluster"]);
        app.synth();
      };
      mkdirSync(folder, { recursive: true });
      for (const selected of ["default", "default\n", ""]) {
        writeFileSync(join(folder, "environment"), selected);
        synth();
      }
      writeFileSync(join(folder, "environment"), "blue\n");
      expect(synth).toThrow(
        new UserError(
          `the workspace "blue" is selected in ${join(outdir, "demo", "cluster")}: a cluster has one state, the one that the spec's backend names; run there: terraform workspace select default`,
        ),
      );
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  });

  test.each(["leave_override.tf.json", "more.tf", "cdk.tofu"])(
    "refuses %s, which Terraform takes in",
    (name) => {
      const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
      try {
        const folder = join(outdir, "demo", "cluster");
        const synth = (): void => {
          const app = new App({ outdir });
          addViewsTo(app, small, nothing(), ["cluster"]);
          app.synth();
        };
        synth();
        synth();
        writeFileSync(join(folder, name), "{}");
        expect(synth).toThrow(
          `${folder} has files that this program did not write, and Terraform would take them into the stack: ${name}; move them away: what is your own is declared by inEachView in a program`,
        );
      } finally {
        rmSync(outdir, { recursive: true, force: true });
      }
    },
  );
});

describe("no secret", () => {
  const SECRETS = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "CONSUL_HTTP_TOKEN", "NOMAD_TOKEN"];
  const MARKER = "do-not-write-me-anywhere";

  test("of the environment is in any view", () => {
    const before = new Map(SECRETS.map((name) => [name, process.env[name]]));
    try {
      for (const name of SECRETS) process.env[name] = MARKER;
      const spec = change(exampleSpec(), (edited) => {
        edited.backend = { type: "s3", bucket: "states", key: "demo", region: "eu-west-1" };
      });
      const views = synthesize(spec, deployedAs(spec), ["cluster", "broker-0", "consul-server-1"]);
      for (const text of views.values()) expect(text).not.toContain(MARKER);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });

  test("and no address is in the user data, which says what the machine is", () => {
    const view = resourcesOf(exampleSpec(), nothing(), "cluster");
    const userData = String(view.get("aws_instance.broker-1-2")?.["user_data"]);
    expect(userData).toBe(`#cloud-config
# rollout-template-hash: 9ed2e93399
write_files:
  - path: /etc/rollout/machine.env
    permissions: "0644"
    content: |
      ROLLOUT_CLUSTER=demo
      ROLLOUT_POOL=broker
      ROLLOUT_GROUP=broker-1
      ROLLOUT_HOST=broker-1-2
      ROLLOUT_IMAGE=ami-0aaa
      ROLLOUT_TEMPLATE_HASH=9ed2e93399
`);
  });
});

interface Written {
  readonly terraform: {
    readonly backend: unknown;
    readonly required_providers?: { readonly aws?: { readonly version: string } };
  };
  readonly variable: unknown;
  readonly resource: Readonly<Record<string, object>>;
}

function warningsOf(spec: Spec, deployed: Parameters<typeof synthesize>[1]): string[] {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
  try {
    const [view] = addViewsTo(new App({ outdir }), spec, deployed, ["cluster"]);
    return (view?.node.metadata ?? []).map(({ data }) => String(data));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
