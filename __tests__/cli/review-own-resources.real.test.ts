import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { TerraformElement, type TerraformStack } from "cdktf";
import { formatReview } from "../../cli/output/review.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";

class Own extends TerraformElement {
  override toTerraform(): object {
    return {
      resource: { terraform_data: { alarms: { input: "busy" } } },
      data: { aws_route53_zone: { zone: { name: "example.org" } } },
    };
  }
}

jest.unstable_mockModule("../../own-resources.js", () => ({
  addOwnResources: (view: TerraformStack) => new Own(view, "monitoring"),
}));

const before = process.cwd();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-review-own-"));
  process.chdir(folder);
  await writeFile("cluster.yaml", LOCAL_EXAMPLE);
});

afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

test("A review names the user's own resources and data sources, once for all views", async () => {
  const { runReview } = await import("../../cli/review.js");
  const review = await runReview({ ROLLOUT_DEPLOYED: "file:cluster.yaml" }, {});
  expect(review.own).toEqual(["data.aws_route53_zone.zone", "terraform_data.alarms"]);
  expect(formatReview(review)).toContain(
    "\nyours, in every view: data.aws_route53_zone.zone, terraform_data.alarms\n",
  );
});
