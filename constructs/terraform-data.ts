import { TerraformResource, type TerraformResourceConfig, type LocalExecProvisioner } from "cdktf";
import type { Construct } from "constructs";
import { lifecycleOf } from "./lifecycle.js";
import { waitFor } from "./named.js";
import type { Declaration } from "./platform.js";

export interface TerraformDataDeclaration extends Declaration {
  readonly input?: unknown;
  readonly triggersReplace?: unknown;
  readonly provisioners?: LocalExecProvisioner[];
}

/**
 * Terraform's built-in `terraform_data`, which needs no provider. (cdktf's own `DataResource` asks for Terraform's version
 * once for each instance.)
 */
export class TerraformData extends TerraformResource {
  private readonly attributes: Readonly<Record<string, unknown>>;

  constructor(scope: Construct, declaration: TerraformDataDeclaration) {
    const { name, after, input, triggersReplace, provisioners } = declaration;
    const config: TerraformResourceConfig = {
      terraformResourceType: "terraform_data",
      ...lifecycleOf(declaration),
      ...(provisioners?.length ? { provisioners } : {}),
    };
    super(scope, name, config);
    this.overrideLogicalId(name);
    waitFor(this, after);
    this.attributes = {
      ...(input === undefined ? {} : { input }),
      ...(triggersReplace === undefined ? {} : { triggers_replace: triggersReplace }),
    };
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return this.attributes;
  }
}
