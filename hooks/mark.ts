import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../clients/environment.js";
import { putFile } from "../clients/put-file.js";
import { MARK_ENVIRONMENT, MARKS } from "../cluster/hooks/variables.js";

/** Says in the folder of the stack that a create hook has ended. One that Terraform did not call has no mark. */
export function leaveMark(env: Environment, folder: string): void {
  const id = env[MARK_ENVIRONMENT];
  if (id === undefined || !/^[0-9A-Za-z-]+$/.test(id)) return;
  mkdirSync(join(folder, MARKS), { recursive: true });
  putFile(join(folder, MARKS, id), "");
}
