import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { messageOf } from "../../clients/error-code.js";

/** What somebody wants of `npm run acceptance:aws`. */
export type Wanted =
  | { readonly verb: "help" }
  | { readonly verb: "down"; readonly yes: boolean }
  | { readonly verb: "run"; readonly yes: boolean; readonly only?: string; readonly given: Given };

/** What is there already, and stays. */
export interface Given {
  readonly subnetIds: readonly [string, string, string];
  readonly securityGroupIds: readonly string[];
  readonly instanceProfile: string;
  /** Two versions each. */
  readonly images: Readonly<Record<"plain" | "data", readonly [string, string]>>;
}

export const USAGE = `npm run acceptance:aws -- OPTIONS
    --subnets ID,ID,ID          of one VPC, in three zones
    --security-groups ID[,...]  let this machine to ports 22 and 8080
    --instance-profile NAME     may read /rollout/rollout-acceptance in SSM
    --images AMI,AMI            two versions of docs/image
    --data-images AMI,AMI       two versions of it with DATA_VOLUME=true
    --only TEXT                 of the scenarios only those whose title matches
    --yes                       does not ask
npm run acceptance:aws -- --down [--yes]   takes down what an earlier run left
The region, the credentials and ROLLOUT_SSH_CONFIG come from the environment. docs/acceptance.md says the rest.
`;

/** @returns what is wrong, all of it, in place of what is wanted */
export function readArguments(
  words: readonly string[],
  { ROLLOUT_SSH_CONFIG: sshConfig }: NodeJS.ProcessEnv,
): Wanted | readonly string[] {
  let values;
  try {
    ({ values } = parseArgs({ args: [...words], options: OPTIONS }));
  } catch (error) {
    return [messageOf(error)];
  }
  const { yes = false, only } = values;
  if (values.help === true) return { verb: "help" };
  if (values.down === true) return { verb: "down", yes };
  const wrong: string[] = [];
  const list = (option: keyof typeof values, one: RegExp, count?: number): string[] => {
    const value = values[option];
    const items = typeof value === "string" ? value.split(",") : [];
    const isRight =
      items.length > 0 && items.every((item) => one.test(item)) && new Set(items).size === items.length;
    if (!isRight || (count ?? items.length) !== items.length)
      wrong.push(
        `--${option} is ${value === undefined ? "missing" : `'${String(value)}'`}; it takes ${WANTED[option] ?? ""}`,
      );
    return items;
  };
  const [first = "", second = "", third = ""] = list("subnets", /^subnet-[0-9a-f]+$/, 3);
  const securityGroupIds = list("security-groups", /^sg-[0-9a-f]+$/);
  const [instanceProfile = ""] = list("instance-profile", /^[\w+=.@-]+$/, 1);
  const [plain = "", newPlain = ""] = list("images", /^ami-[0-9a-f]+$/, 2);
  const [data = "", newData = ""] = list("data-images", /^ami-[0-9a-f]+$/, 2);
  if (sshConfig !== undefined && !existsSync(sshConfig))
    wrong.push(`ROLLOUT_SSH_CONFIG is '${sshConfig}', which is not there`);
  if (wrong.length > 0) return wrong;
  const given: Given = {
    subnetIds: [first, second, third],
    securityGroupIds,
    instanceProfile,
    images: { plain: [plain, newPlain], data: [data, newData] },
  };
  return { verb: "run", yes, given, ...(only !== undefined && { only }) };
}

const OPTIONS = {
  subnets: { type: "string" },
  "security-groups": { type: "string" },
  "instance-profile": { type: "string" },
  images: { type: "string" },
  "data-images": { type: "string" },
  only: { type: "string" },
  yes: { type: "boolean" },
  down: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const WANTED: Readonly<Record<string, string>> = {
  subnets: "three ids of subnets, such as subnet-0a1,subnet-0b1,subnet-0c1",
  "security-groups": "ids of security groups, such as sg-0a1",
  "instance-profile": "the name of an instance profile",
  images: "two ids of images, such as ami-0a1,ami-0a2",
  "data-images": "two ids of images, such as ami-0e1,ami-0e2",
};
