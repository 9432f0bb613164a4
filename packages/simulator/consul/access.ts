import { text, type Answer, type Request } from "../answer.js";

/** The rules of a token, each as strong as it says; a prefix rule holds for every name that begins with it. */
export interface ConsulRules {
  readonly management?: boolean;
  readonly agentPrefix?: Policies;
  readonly nodePrefix?: Policies;
  readonly keyPrefix?: Policies;
  readonly servicePrefix?: Policies;
  readonly operator?: Policy;
  readonly acl?: Policy;
}

export type Policy = "read" | "write";
type Policies = Readonly<Record<string, Policy>>;
type Prefixed = "agentPrefix" | "nodePrefix" | "keyPrefix" | "servicePrefix";

/** Tokens by their secret; undefined while ACLs are off. The token "" is the anonymous one. */
export type ConsulTokens = ReadonlyMap<string, ConsulRules>;

/** What the token of a request may do. */
export class ConsulRights {
  constructor(private readonly rules: ConsulRules) {}

  may(rule: Prefixed, name: string, policy: Policy): boolean {
    if (this.rules.management) return true;
    const fitting = Object.entries(this.rules[rule] ?? {})
      .filter(([prefix]) => name.startsWith(prefix))
      .sort(([one], [other]) => other.length - one.length)[0];
    return fitting !== undefined && enough(fitting[1], policy);
  }

  mayOperate(policy: Policy): boolean {
    return this.rules.management === true || enough(this.rules.operator, policy);
  }

  /** A snapshot holds the tokens, so it takes the right to write those. */
  mayAcl(policy: Policy): boolean {
    return this.rules.management === true || enough(this.rules.acl, policy);
  }
}

const enough = (given: Policy | undefined, wanted: Policy): boolean => given === "write" || given === wanted;

/** The rights of a request, or the answer to a token that is not known. */
export function consulRights(tokens: ConsulTokens | undefined, request: Request): ConsulRights | Answer {
  if (!tokens) return new ConsulRights({ management: true });
  const bearer = /^Bearer (.*)$/.exec(request.headers["authorization"] ?? "")?.[1];
  const secret = request.query.get("token") ?? request.headers["x-consul-token"] ?? bearer ?? "";
  const rules = tokens.get(secret) ?? (secret === "" ? {} : undefined);
  return rules ? new ConsulRights(rules) : text(403, "ACL not found");
}

export const denied = (): Answer => text(403, "Permission denied");
