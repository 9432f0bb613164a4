import type { Environment } from "../clients/environment.js";
import { join } from "node:path";
import { App } from "cdktf";
import { offeredViews } from "../rollout/roll/views.js";
import { type Difference, type Review, reviewOf, reviewSchema } from "../rollout/review/review.js";
import { withRecordedSizes } from "../cluster/recorded-sizes.js";
import { isOwnAddress } from "../cluster/shared-address.js";
import { userDataFiles } from "../cluster/yaml/user-data-files.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import type { Deployed } from "../cluster/deployed.js";
import { addViews } from "../stacks/add-views.js";
import type { ViewStack } from "../stacks/view-stack.js";
import { commitAt, isCommitted } from "../clients/git.js";
import { diffResources } from "./output/diff-resources.js";
import { inScratch } from "../program/in-scratch.js";
import { readDeployed } from "../program/read-deployed.js";
import { readSpec, type SpecFile } from "../program/read-spec.js";
import { programFolder } from "../program/run-program.js";
import { specAt } from "../program/spec-at.js";

export interface ReviewArgs {
  /** A git revision: what is deployed is taken from the spec there, without credentials. Default: from the state. */
  readonly base?: string;
}

/**
 * Explains what the spec as it is now is going to do, from synthesized stacks alone.
 * @throws UserError with exit code 2 when nothing can be said: 1 is for a review that rejects
 */
export async function runReview(env: Environment, args: ReviewArgs): Promise<Review> {
  try {
    return await review(env, args);
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.message, 2) : error;
  }
}

async function review(env: Environment, { base }: ReviewArgs): Promise<Review> {
  const source = readSpec(env);
  const { file } = source;
  const before = base === undefined ? undefined : await specAt(file, base, source.shown);
  const deployed = withoutOwn(
    source,
    await readDeployed(source, base === undefined ? env : { ...env, ROLLOUT_DEPLOYED: `git:${base}` }),
  );
  const spec = withRecordedSizes(source.spec, deployed);
  const commits = {
    base: base === undefined ? null : ((await commitAt(file, base)) ?? null),
    head: (await commitAt(file, "HEAD")) ?? null,
    isCommitted: await isCommitted(file, userDataFiles(spec)),
  };
  return inScratch("rollout-review-", (scratch) => {
    const views = offeredViews(spec, deployed);
    const stacks = synthesize(spec, deployed, views, join(scratch, "head"));
    const verdicts = stacks.map((stack) => stack.verdict());
    const violations = new Map(
      verdicts.flatMap((verdict) =>
        verdict.violations.map(
          ({ rule, message, remedy }) => [`${rule}${message}`, { rule, message, remedy }] as const,
        ),
      ),
    );
    const baseline = before && synthesize(before, deployed, views, join(scratch, "base"));
    const differences = baseline && stacks.flatMap((stack) => differencesOf(stack, baseline));
    return reviewSchema.parse(
      reviewOf({
        spec,
        deployed,
        violations: [...violations.values()],
        own: [...spec.rollout.ownResources].sort(),
        commits,
        ...(differences ? { differences } : {}),
        ...(before ? { before } : {}),
      }),
    );
  });
}

/** A review runs no code, so what a program has of its own is in no stack that it makes. */
function withoutOwn(source: SpecFile, deployed: Deployed): Deployed {
  if (programFolder(source) === undefined) return deployed;
  const rendered = [...deployed.addresses].filter((address) => !isOwnAddress(address, source.spec));
  return { ...deployed, addresses: new Set(rendered) };
}

function differencesOf(stack: ViewStack, baseline: readonly ViewStack[]): Difference[] {
  const old = baseline.find(({ node }) => node.id === stack.node.id);
  return diffResources(stack.node.id, old?.toTerraform() ?? {}, stack.toTerraform());
}

/** Made without paths of this machine, so that the same spec gives the same bytes everywhere. */
function synthesize(spec: Spec, deployed: Deployed, views: readonly string[], outdir: string): ViewStack[] {
  const props = {
    spec,
    deployed,
    specFolder: "../../..",
    program: "../../../dist/bin/rollout.js",
    cause: "<this change>",
  };
  return addViews(new App({ outdir }), views, props);
}
