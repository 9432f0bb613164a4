import { Construct } from "constructs";
import { UserError } from "../../cluster/user-error.js";
import type { View } from "../../stacks/view.js";
import type { Asking, Desired } from "./desired.js";

/** A cluster whose views an app makes, wherever its pools are declared. */
export abstract class ClusterBase extends Construct {
  private readonly additions: ((view: View) => unknown)[] = [];

  /**
   * @internal What it is meant to be, checked.
   * @throws SpecError with every problem
   */
  abstract source(asking: Asking): Desired;

  /**
   * Declares resources of your own, which are part of every view: the view `cluster` creates and updates them, the view of a
   * group leaves them as they are.
   */
  inEachView(declare: (view: View) => void): void {
    this.additions.push(declare);
  }

  /** @internal Whether there is anything of the program's own. */
  get hasOwn(): boolean {
    return this.additions.length > 0;
  }

  /** @internal For a view. @throws UserError where something would come too late */
  addTo(view: View): void {
    for (const declare of this.additions) {
      const declared = declare(view);
      if (!(declared instanceof Promise)) continue;
      // What it says of itself would come after what is said here.
      declared.catch(() => undefined);
      throw new UserError(
        `inEachView of ${this.node.path} was given an async function: what it declares would miss the view; await before it`,
        2,
      );
    }
  }
}
