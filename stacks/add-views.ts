import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { ViewStack, type ViewProps } from "./view-stack.js";
import { withoutStackTraces } from "./without-stack-traces.js";

/** Adds the views to an app, `cluster` or the name of a group each, with the user's own resources in them. */
export function addViews(app: App, views: readonly string[], props: ViewProps): ViewStack[] {
  return views.map((view) => {
    const stack = withoutStackTraces(() => new ViewStack(app, view, props));
    if (props.ownResources !== false) props.addOwn?.(stack);
    return stack;
  });
}

/** As in a checkout whose output folder is beside the spec: what is looked at is not to differ from one to the next. */
const PLACES = { specFolder: "../../..", program: "../../../dist/bin/rollout.js" };

/** Makes one view to look at, of which nothing is written. */
export function inspectView<T>(
  view: string,
  props: Omit<ViewProps, "specFolder" | "program">,
  look: (stack: ViewStack) => T,
): T {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-view-"));
  try {
    const [stack] = addViews(new App({ outdir }), [view], { ...PLACES, ...props });
    if (!stack) throw new Error("one view was asked for, and none was made");
    return look(stack);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
