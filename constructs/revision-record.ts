import { Construct } from "constructs";
import type { Revision } from "../spec/deployed.js";
import type { Declaration } from "./platform.js";
import type { Postcondition } from "./lifecycle.js";
import { TerraformData } from "./terraform-data.js";

export interface RevisionRecordProps extends Declaration {
  readonly cluster: string;
  readonly group: string;
  readonly revisions: readonly Revision[];
}

/**
 * The last revisions of a group, kept with the Terraform state. It waits for `ready`, so a revision is written only once
 * the gate has passed (an output would be written even if it failed).
 */
export class RevisionRecord extends Construct {
  constructor(scope: Construct, { cluster, group, revisions, ...declaration }: RevisionRecordProps) {
    super(scope, declaration.name);
    const newest = revisions.at(-1)?.number;
    const entries = revisions.map((revision) => ({ ...revision, cause: literal(revision.cause) }));
    new TerraformData(this, {
      ...declaration,
      input: { cluster, group, revisions: entries },
      ...(declaration.protection === "frozen" && newest !== undefined
        ? { postcondition: isStill(group, newest) }
        : {}),
    });
  }
}

/** Two views that were synthesized at once: the second is stale once the first is applied, and Terraform refuses it. */
const isStill = (group: string, revision: number): Postcondition => ({
  condition: `\${self.input.revisions[length(self.input.revisions) - 1].number == ${String(revision)}}`,
  errorMessage: `This view was made when ${group} was at revision ${String(revision)}, and it has been rolled since. Synthesize again.`,
});

/** Text of people's own, such as a commit's subject, must not be read as a Terraform expression. */
const literal = (text: string): string => text.replace(/\$\{/g, "$$$${").replace(/%\{/g, "%%{");
