import type { App } from "cdktf";
import { addOwnResources } from "../own-resources.js";
import { ClusterStack } from "./cluster-stack.js";
import { RolloutStack } from "./rollout-stack.js";
import type { ViewProps, ViewStack } from "./view-stack.js";
import { withoutStackTraces } from "./without-stack-traces.js";

export interface AddViewsOptions {
  /** Whether the user's own resources are in them. Default: true; a rehearsal must not touch what is real. */
  readonly ownResources?: boolean;
}

/** Adds the views to an app, `cluster` or the name of a group each, with the user's own resources in them. */
export function addViews(
  app: App,
  views: readonly string[],
  props: ViewProps,
  { ownResources = true }: AddViewsOptions = {},
): ViewStack[] {
  return views.map((view) => {
    const stack = withoutStackTraces(() =>
      view === "cluster" ? new ClusterStack(app, props) : new RolloutStack(app, view, props),
    );
    if (ownResources) addOwnResources(stack);
    return stack;
  });
}
