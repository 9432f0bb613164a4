import type { TerraformStack } from "cdktf";
import { roleOf, serversOf } from "../cluster/groups.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { AwsPlatform } from "./aws/aws-platform.js";
import { LocalPlatform } from "./local/local-platform.js";
import type { Platform } from "./platform.js";

/** The platform that a spec names, with what it needs of a stack as a whole. */
export const createPlatform = (stack: TerraformStack, spec: Spec): Platform =>
  spec.platform === "aws"
    ? new AwsPlatform(stack, spec.name, spec.aws, (pool) => serversOf(spec, roleOf(pool)), spec.userData)
    : new LocalPlatform(spec.name);
