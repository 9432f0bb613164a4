import type { App } from "cdktf";
import { addOwnResources } from "../own-resources.js";
import { ViewStack, type ViewProps } from "./view-stack.js";
import { withoutStackTraces } from "./without-stack-traces.js";

/** Adds the views to an app, `cluster` or the name of a group each, with the user's own resources in them. */
export function addViews(app: App, views: readonly string[], props: ViewProps): ViewStack[] {
  return views.map((view) => {
    const stack = withoutStackTraces(() => new ViewStack(app, view, props));
    if (props.ownResources !== false) addOwnResources(stack);
    return stack;
  });
}
