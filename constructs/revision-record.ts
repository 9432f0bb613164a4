import { Construct } from "constructs";
import type { Revision } from "../spec/deployed.js";
import type { Declaration } from "./platform.js";
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
    const entries = revisions.map((revision) => ({ ...revision, cause: literal(revision.cause) }));
    new TerraformData(this, { ...declaration, input: { cluster, group, revisions: entries } });
  }
}

/** Text of people's own, such as a commit's subject, must not be read as a Terraform expression. */
const literal = (text: string): string => text.replace(/\$\{/g, "$$$${").replace(/%\{/g, "%%{");
