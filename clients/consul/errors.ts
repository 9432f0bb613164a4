import { UserError } from "../../cluster/user-error.js";
import { ClientError, type Subject } from "../http/errors.js";

/**
 * Less was answered than there is, because the token may not see it. Without rights Consul answers 200 and an empty list, and
 * newer versions say in a header that they left something out.
 */
export class HiddenByAclError extends ClientError {
  override readonly name = "HiddenByAclError";

  constructor(
    subject: Subject,
    readonly permission: string,
  ) {
    const { method, path, where, service } = subject;
    super(
      `${service.name} shows this token less than there is: ${method} ${path} at ${where}; the token in ${service.tokenVariable} needs ${permission}`,
      subject,
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
