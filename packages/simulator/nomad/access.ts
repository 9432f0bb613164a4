import { text, type Answer, type Request } from "../answer.js";

type Policy = "read" | "write";

/** The policies of a token. */
export interface NomadRules {
  readonly management?: boolean;
  readonly node?: Policy;
  readonly operator?: Policy;
  readonly agent?: Policy;
  /** Capabilities by namespace, `*` for all: `read-job`, `list-jobs`, `submit-job`. */
  readonly namespaces?: Readonly<Record<string, readonly string[]>>;
}

/** Tokens by their secret; undefined while ACLs are off. */
export type NomadTokens = ReadonlyMap<string, NomadRules>;

export class NomadRights {
  constructor(private readonly rules: NomadRules) {}

  get isManagement(): boolean {
    return this.rules.management ?? false;
  }

  may(rule: "node" | "operator" | "agent", policy: Policy): boolean {
    const given = this.rules[rule];
    return this.isManagement || given === "write" || given === policy;
  }

  mayIn(namespace: string, capability: string): boolean {
    const { namespaces = {} } = this.rules;
    return (
      this.isManagement || [...(namespaces[namespace] ?? []), ...(namespaces["*"] ?? [])].includes(capability)
    );
  }
}

/** What the token of a request may do: nothing with none, and with one that is not known. */
export function nomadRights(tokens: NomadTokens | undefined, request: Request): NomadRights {
  if (!tokens) return new NomadRights({ management: true });
  return new NomadRights(tokens.get(nomadSecret(request)) ?? {});
}

/** The token of a request; empty without one. */
export function nomadSecret({ headers }: Request): string {
  const bearer = /^Bearer (.*)$/.exec(headers["authorization"] ?? "")?.[1];
  return headers["x-nomad-token"] ?? bearer ?? "";
}

export const denied = (): Answer => text(403, "Permission denied");
