import { join } from "node:path";

/** The release of OpenTofu that is fetched where there is no Terraform. */
export const OPENTOFU_VERSION = "1.12.6";

/** Where it is put, below the folder in which a command runs. It is looked for there alone: above may be folders of others. */
export const FETCHED = join(".cache", "opentofu", OPENTOFU_VERSION, "tofu");
