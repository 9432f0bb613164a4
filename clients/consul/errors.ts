import { UserError } from "../../cluster/user-error.js";
import { PermissionError } from "../http/errors.js";
import type { Call } from "../http/http-client.js";
import { CONSUL } from "../http/service.js";

/**
 * Less was answered than there is, because the token may not see it. Without rights Consul answers 200 and an empty list, and
 * newer versions say in a header that they left something out.
 */
export class HiddenByAclError extends PermissionError {
  override readonly name = "HiddenByAclError";

  constructor({ method = "GET", path, permission = "more rights" }: Call, where: string) {
    super(
      `Consul shows this token less than there is: ${method} ${path} at ${where}; the token in ${CONSUL.tokenVariable} needs ${permission}`,
      200,
      "",
    );
  }
}

/** What was addressed as one machine's agent is another's: a tunnel or an address leads to the wrong machine. */
export class WrongAgentError extends UserError {
  override readonly name = "WrongAgentError";

  constructor(expected: string, found: string, where: string) {
    super(
      `the agent of another machine: expected ${expected} at ${where}, found ${found}; nothing was done; correct the address of ${expected}`,
    );
  }
}
