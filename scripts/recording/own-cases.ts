import { TerraformData } from "../../constructs/terraform-data.js";
import { accepted, type Case, rejected } from "./case.js";
import { blocksOf, brokers } from "./local-cluster.js";
import type { World } from "./world.js";

/** Plans with a resource of the user's own, `terraform_data.zone`. */
export const OWN_RESOURCES: readonly Case[] = [
  {
    name: "own-resource-created",
    what: "A resource of the user's own that the spec names is created by the cluster view.",
    expected: accepted,
    make: async (world) => {
      world.edit("ownResources: []", "ownResources: [zone]");
      await synthOwn(world, "cluster", "v1");
      return world.plan("cluster");
    },
  },
  {
    name: "own-resource-updated",
    what: "It is updated in place.",
    expected: accepted,
    make: async (world) => {
      await createOwn(world);
      await synthOwn(world, "cluster", "v2");
      return world.plan("cluster");
    },
  },
  {
    name: "own-resource-beside-roll",
    what: "It stays as it is when a group is rolled.",
    expected: accepted,
    make: async (world) => {
      await createOwn(world);
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await synthOwn(world, "broker-0", "v2");
      return world.plan("broker-0");
    },
  },
  {
    name: "own-resource-not-named",
    what: "The same, but the spec does not name it any more.",
    expected: rejected("unattributed-change"),
    make: async (world) => {
      world.edit("ownResources: []", "ownResources: [zone]");
      await synthOwn(world, "cluster", "v1");
      const plan = await world.plan("cluster");
      world.edit("ownResources: [zone]", "ownResources: [zones]");
      return plan;
    },
  },
  {
    name: "own-resource-replaced",
    what: "A resource of the user's own that the spec names would be replaced.",
    expected: rejected("shared-kept"),
    make: async (world) => {
      await createOwn(world);
      await synthOwn(world, "cluster", "v1");
      world.tamper(
        "cluster",
        "own resource without prevent_destroy, with another trigger",
        ({ resource }) => {
          resource["terraform_data"] = {
            ...resource["terraform_data"],
            [OWN]: { input: "v1", triggers_replace: "new" },
          };
        },
      );
      return world.plan("cluster");
    },
  },
  {
    name: "own-resource-moved",
    what: "It would get another address.",
    expected: rejected("complete-plan", "base-revision", "unattributed-change", "shared-kept"),
    make: async (world) => {
      await createOwn(world);
      await synthOwn(world, "cluster", "v1");
      world.tamper("cluster", "own resource renamed, with a moved block", (stack) => {
        const data = blocksOf(stack);
        const { [OWN]: own = {}, ...rest } = data;
        stack.resource["terraform_data"] = { ...rest, [`${OWN}-new`]: own };
        stack["moved"] = [{ from: `terraform_data.${OWN}`, to: `terraform_data.${OWN}-new` }];
      });
      return world.plan("cluster");
    },
  },
];

const OWN = "zone";

async function synthOwn(world: World, view: string, input: string): Promise<void> {
  await world.synth(view, (stack) => {
    new TerraformData(stack, { name: OWN, protection: "live", input });
  });
  world.steps.push(`with terraform_data.${OWN} added to the stack: ${input}`);
}

async function createOwn(world: World): Promise<void> {
  world.edit("ownResources: []", "ownResources: [zone]");
  await synthOwn(world, "cluster", "v1");
  await world.terraform("cluster", ["apply", "-auto-approve"]);
}
