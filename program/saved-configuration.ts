import { unzipSync } from "fflate";
import type { SavedConfiguration } from "../guard/judge.js";
import { duplicateKey } from "../guard/plan/duplicate-key.js";
import type { Fields } from "../guard/plan/fields.js";
import { NotAPlan } from "../guard/plan/read-plan.js";

/** The folder of the root module in the archive of a saved plan: Terraform's `configload`, and OpenTofu's. */
const ROOT = "tfconfig/m-/";
const STACK = "cdk.tf.json";

/** Whether a file is a saved plan as it is: OpenTofu may encrypt one (TF_ENCRYPTION), which is an archive no more. */
export const isArchive = ([first, second]: Uint8Array): boolean => first === 0x50 && second === 0x4b;

/**
 * What Terraform does not print of a plan stands in its archive: when a hook runs and whether its failure counts, locals, the
 * backend, and files that override them.
 * @throws NotAPlan when it cannot be read
 */
export function savedConfiguration(archive: Uint8Array): SavedConfiguration {
  try {
    const files = unzipSync(archive, { filter: ({ name }) => name.startsWith("tfconfig/") });
    const text = new TextDecoder().decode(files[`${ROOT}${STACK}`]);
    const stack = JSON.parse(text) as Fields;
    // Terraform takes both of a key that stands twice.
    if (duplicateKey(text, stack) !== undefined) throw new Error();
    const names = Object.keys(files).filter((name) => /\.(tf|tofu)(\.json)?$/.test(name));
    return {
      stack,
      others: names
        .filter((name) => name !== `${ROOT}${STACK}`)
        .map((name) => name.replace(ROOT, ""))
        .sort(),
    };
  } catch {
    throw new NotAPlan("the archive does not hold a stack as this program writes it, from which it was made");
  }
}
