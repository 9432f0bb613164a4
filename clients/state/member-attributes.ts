import * as z from "zod";
import type { DeployedHost, DeployedVolume, ReadyRecord, Revision } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import type { StateObject } from "./state-object.js";

const text = z.string().min(1);

const awsHost = z
  .object({
    id: text,
    ami: text,
    instance_type: text,
    subnet_id: text,
    tags: z.object({ "rollout:template-hash": text }),
  })
  .transform((host) => ({
    id: host.id,
    image: host.ami,
    instanceType: host.instance_type,
    hash: host.tags["rollout:template-hash"],
    subnetId: host.subnet_id,
  }));

const localHost = z
  .object({ id: text, input: z.object({ image: text, instanceType: text }), triggers_replace: text })
  .transform((host) => ({ id: host.id, ...host.input, hash: host.triggers_replace }));

const awsVolume = z
  .object({ size: z.int(), type: text, availability_zone: text })
  .transform((volume) => ({ sizeGib: volume.size, type: volume.type, zone: volume.availability_zone }));

const localVolume = z
  .object({ input: z.object({ sizeGib: z.int(), type: text }) })
  .transform((volume) => volume.input);

const consulTriggers = z.object({ host: z.string(), servers: z.string() });
const readyTriggers = z.object({ hosts: z.string(), hash: z.string(), gate: z.string() });

const awsConfigConsul = z.object({ triggers: consulTriggers }).transform((hook) => hook.triggers);
const localConfigConsul = z
  .object({ triggers_replace: consulTriggers })
  .transform((hook) => hook.triggers_replace);

const awsReady = z.object({ triggers: readyTriggers }).transform((hook) => hook.triggers);
const localReady = z.object({ triggers_replace: readyTriggers }).transform((hook) => hook.triggers_replace);

const revision = z.object({
  number: z.int(),
  image: text,
  hash: text,
  generation: z.int(),
  cause: z.string(),
});

const revisionRecord = z
  .object({ input: z.object({ revisions: z.array(revision) }) })
  .transform((record) => record.input.revisions);

/**
 * Takes from members of groups what this program wrote there. What is not there is remembered, so that all of it can be
 * told at once by {@link done}; until then a member that lacks something reads as undefined.
 */
export class MemberAttributes {
  private readonly faults: string[] = [];

  constructor(private readonly where: string) {}

  host(object: StateObject): Omit<DeployedHost, "number" | "name" | "configConsul"> | undefined {
    return this.read(object, isLocal(object) ? localHost : awsHost);
  }

  volume(object: StateObject): Omit<DeployedVolume, "host"> | undefined {
    return this.read(object, isLocal(object) ? localVolume : awsVolume);
  }

  configConsul(object: StateObject): DeployedHost["configConsul"] {
    return this.read(object, isLocal(object) ? localConfigConsul : awsConfigConsul);
  }

  ready(object: StateObject): ReadyRecord | undefined {
    return this.read(object, isLocal(object) ? localReady : awsReady);
  }

  revisions(object: StateObject): readonly Revision[] | undefined {
    return this.read(object, revisionRecord);
  }

  /** @throws UserError when a member lacked something */
  done(): void {
    if (this.faults.length === 0) return;
    throw new UserError(
      `the state lacks attributes that this program writes: ${this.where}: ${[...this.faults].sort().join(", ")}; take what only has the name of a member out of the state (terraform state rm ADDRESS), or restore the state from its backup`,
    );
  }

  private read<T>(object: StateObject, schema: z.ZodType<T>): T | undefined {
    const result = schema.safeParse(isLocal(object) ? plain(object.attributes) : object.attributes);
    if (result.success) return result.data;
    const paths = result.error.issues.map(({ path }) => path.join("."));
    this.faults.push(`${object.address} (${[...new Set(paths)].sort().join(", ")})`);
    return undefined;
  }
}

const isLocal = (object: StateObject): boolean => object.type === "terraform_data";

const typed = z.object({ value: z.unknown(), type: z.unknown() });

/** Attributes of any type, such as a `terraform_data`'s input, stand in a state as their value beside its type. */
function plain(attributes: StateObject["attributes"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => {
      const dynamic = typed.safeParse(attribute);
      return [name, dynamic.success ? dynamic.data.value : attribute];
    }),
  );
}
