import { TerraformLocal } from "cdktf";
import { Construct } from "constructs";
import { marksCondition, rollIn } from "../cluster/hooks/marks.js";
import { GATE_VARIABLE } from "../cluster/hooks/variables.js";
import type { Completed, Revision } from "../cluster/revision.js";
import type { Declaration } from "./platform.js";
import type { Condition } from "./lifecycle.js";
import { TerraformData } from "./terraform-data.js";

export interface RevisionRecordProps extends Declaration {
  readonly cluster: string;
  readonly group: string;
  readonly revisions: readonly Revision[];
  /** What stays recorded while the gate of the view is closed; default: `revisions`. */
  readonly whileClosed?: readonly Revision[];
  /** Written whether the gate is open or closed. */
  readonly completed?: Completed;
  /** The address of the `ready` that tells how the newest revision came to be; absent where it is recorded already. */
  readonly toldBy?: string;
}

/**
 * The last revisions of a group, kept with the Terraform state. It waits for `ready`, so a revision is written only once
 * the gate has passed (an output would be written even if it failed).
 */
export class RevisionRecord extends Construct {
  constructor(
    scope: Construct,
    { cluster, group, revisions, whileClosed, completed, toldBy, ...declaration }: RevisionRecordProps,
  ) {
    super(scope, declaration.name);
    const newest = revisions.at(-1)?.number;
    const entries = entriesOf(revisions).map((entry) =>
      toldBy !== undefined && entry.number === newest ? { ...entry, roll: rollIn(toldBy) } : entry,
    );
    new TerraformData(this, {
      ...declaration,
      input: {
        cluster,
        group,
        revisions: whileClosed ? this.byGate(entries, entriesOf(whileClosed), declaration.name) : entries,
        ...(completed ? { completed } : {}),
      },
      ...(declaration.protection === "frozen" && newest !== undefined
        ? { postcondition: isStill(group, newest) }
        : {}),
    });
  }

  /** Looked up, since Terraform would make a list of another type of what a condition chooses. */
  private byGate(open: unknown, closed: unknown, name: string): string {
    const local = new TerraformLocal(this, `${name}-by-gate`, { open, closed });
    local.overrideLogicalId(`${name}-by-gate`);
    return `\${local.${name}-by-gate[var.${GATE_VARIABLE}]}`;
  }
}

/** Text of people's own, such as a commit's subject, must not be read as a Terraform expression. */
const entriesOf = (revisions: readonly Revision[]): Revision[] =>
  JSON.parse(JSON.stringify(revisions), (_, value: unknown) =>
    typeof value === "string" ? literal(value) : value,
  ) as Revision[];

/** Two views that were synthesized at once: the second is stale once the first is applied, and Terraform refuses it. */
const isStill = (group: string, revision: number): Condition => ({
  condition: `\${self.input.revisions[length(self.input.revisions) - 1].number == ${String(revision)}}`,
  errorMessage: `This view was made when ${group} was at revision ${String(revision)}, and it has been rolled since. Synthesize again.`,
});

/** Text that Terraform reads as it stands. */
export const literal = (text: string): string => text.replace(/\$\{/g, "$$$${").replace(/%\{/g, "%%{");

/** A run of this folder that was cut off has left hooks in the state that never ended. */
export const haveEnded = (group: string, hooks: readonly string[]): Condition => ({
  condition: marksCondition(hooks),
  errorMessage: `Hooks of ${group} that are in the state have not ended: this view was made before a run of it was cut off. Synthesize again.`,
});
