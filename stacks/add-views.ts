import type { App } from "cdktf";
import { ClusterStack } from "./cluster-stack.js";
import { RolloutStack } from "./rollout-stack.js";
import type { ViewProps, ViewStack } from "./view-stack.js";

/** Adds the views to an app, `cluster` or the name of a group each. */
export function addViews(app: App, views: readonly string[], props: ViewProps): ViewStack[] {
  return views.map((view) =>
    view === "cluster" ? new ClusterStack(app, props) : new RolloutStack(app, view, props),
  );
}
