import { TerraformResource, TerraformVariable, type TerraformStack } from "cdktf";
import { lifecycleOf, type Protection } from "../constructs/lifecycle.js";
import { OWN_VARIABLE } from "../cluster/hooks/variables.js";

interface OwnOptions {
  readonly protection: Protection;
  /** The addresses that the state holds, where the view renders nothing but that; undefined in the view that creates. */
  readonly deployed: ReadonlySet<string> | undefined;
}

/**
 * Resources that the user added to the stack are shared parts: frozen in the view of a group, and rendered there only
 * if deployed. Where they stand is written into the plan, so that it can be judged alone.
 */
export function freezeOwnResources(stack: TerraformStack, { protection, deployed }: OwnOptions): void {
  const own = stack.node.children
    .filter(({ node }) => node.id !== "shared" && node.id !== "pools")
    .flatMap((child) => child.node.findAll())
    .filter((each) => TerraformResource.isTerraformResource(each));
  if (own.length === 0) return;
  const paths = new Map<string, string>();
  for (const resource of own) {
    const address = `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
    if (deployed && !isAmong(deployed, address)) {
      resource.node.scope?.node.tryRemoveChild(resource.node.id);
      continue;
    }
    const { lifecycle } = lifecycleOf({ protection });
    if (lifecycle) resource.lifecycle = deployed ? lifecycle : { ...resource.lifecycle, ...lifecycle };
    paths.set(address, resource.node.path.split("/").slice(1).join("/"));
  }
  const variable = new TerraformVariable(stack, OWN_VARIABLE, {
    type: "map(string)",
    description: "The construct path of each resource of the user's own.",
  });
  variable.addOverride("default", Object.fromEntries(paths));
}

/** Whether a state holds a resource, or one of the objects that it stands for, such as `x.y[0]`. */
const isAmong = (addresses: ReadonlySet<string>, address: string): boolean =>
  addresses.has(address) || [...addresses].some((each) => each.startsWith(`${address}[`));
