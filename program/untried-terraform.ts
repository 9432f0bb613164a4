import { toolOf } from "../clients/terraform/find.js";
import type { Environment } from "../clients/environment.js";
import { terraformVersion } from "../clients/terraform/terraform.js";
import { UserError } from "../cluster/user-error.js";
import { isTried, TRIED } from "../guard/plan/format.js";

/**
 * A warning where the plans of the Terraform at hand were never read, so that one could be refused for what it says. Never
 * a refusal: an undo may need this very version. Nothing where there is no Terraform that answers, which others refuse.
 */
export async function untriedTerraform(env: Environment): Promise<string[]> {
  try {
    const { binary, version } = await terraformVersion({ cwd: process.cwd(), env });
    const tool = toolOf(binary);
    if (isTried(tool, version)) return [];
    return [
      `warning: ${tool} ${version} was not tried, the newest that was is ${TRIED[tool]}: a plan of it that says what this version of rollout does not know is refused; have an older one at hand (TERRAFORM_BINARY_NAME)`,
    ];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
