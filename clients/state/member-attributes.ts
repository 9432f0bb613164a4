import * as z from "zod";
import { attributePath, attributesInState, memberValues } from "../../cluster/members.js";
import { revisionRecord } from "../../cluster/revision.js";
import { UserError } from "../../cluster/user-error.js";
import type { StateObject } from "./state-object.js";

const text = z.string().min(1);

/** What is not there, or of another kind, is not known; none is written as null or as an empty text. */
const known = z
  .string()
  .nullable()
  .transform((value) => value ?? "")
  .optional()
  .catch(undefined);

/** A number in the triggers of a hook, which are texts. */
const count = z
  .string()
  .regex(/^[1-9]\d{0,8}$/)
  .transform(Number)
  .optional();

/** What each kind of member has, as far as it is read. */
const ATTRIBUTES = {
  host: z.object({
    id: text,
    image: text,
    instanceType: text,
    hash: text,
    subnetId: text.exactOptional(),
    keyName: known,
    instanceProfile: known,
    securityGroupIds: z.array(z.string()).optional().catch(undefined),
    userData: known,
  }),
  data: z.object({
    id: text.exactOptional(),
    sizeGib: z.int(),
    type: text,
    iops: z.int().optional().catch(undefined),
    throughput: z.int().optional().catch(undefined),
    zone: text.exactOptional(),
  }),
  "start-agents": z.object({ attempt: count }),
  "config-consul": z.object({ host: z.string(), servers: z.string(), attempt: count, consul: count }),
  leave: z.object({ hash: known, hosts: known, waiting: known, attempt: count }),
  ready: z.object({ hosts: z.string(), hash: z.string(), gate: z.string(), attempt: count }),
  revision: revisionRecord,
};

type Attributes = { readonly [Kind in keyof typeof ATTRIBUTES]: z.output<(typeof ATTRIBUTES)[Kind]> };

const SCHEMAS: { readonly [Kind in keyof Attributes]: z.ZodType<Attributes[Kind]> } = ATTRIBUTES;

/**
 * Takes from members of groups what this program wrote there. What is not there is remembered, so that all of it can be
 * told at once by {@link done}; until then a member that lacks something reads as undefined.
 */
export class MemberAttributes {
  private readonly faults: string[] = [];

  constructor(private readonly where: string) {}

  /** @throws UserError when a member lacked something */
  done(): void {
    if (this.faults.length === 0) return;
    throw new UserError(
      `the state lacks attributes that this program writes: ${this.where}: ${[...this.faults].sort().join(", ")}; take what only has the name of a member out of the state (terraform state rm ADDRESS), or restore the state from its backup`,
    );
  }

  read<Kind extends keyof Attributes>(kind: Kind, object: StateObject): Attributes[Kind] | undefined {
    const { address, type, attributes } = object;
    const values = attributesInState(type, attributes);
    const result = SCHEMAS[kind].safeParse(memberValues(kind, address, values));
    if (result.success) return result.data;
    const paths = result.error.issues.map(({ path }) => attributePath(kind, address, values, path).join("."));
    this.faults.push(`${address} (${[...new Set(paths)].sort().join(", ")})`);
    return undefined;
  }
}
