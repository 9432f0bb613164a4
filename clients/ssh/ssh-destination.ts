import { UserError } from "../../cluster/user-error.js";

const USER = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const IPV6 = /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/;

/**
 * A destination that ssh can take for nothing else: `broker-0-1`, `10.0.0.7`, `i-0abc`, `fd00::7`, each also behind
 * `admin@`. Anything that could be an option, or mean something to a shell in a ProxyCommand (`%h`), is refused.
 * @throws UserError
 */
export function checkDestination(destination: string): string {
  const at = destination.lastIndexOf("@");
  const host = destination.slice(at + 1);
  const isUser = at === -1 || USER.test(destination.slice(0, at));
  if (isUser && host.length <= 253 && (NAME.test(host) || IPV6.test(host))) return destination;
  throw new UserError(
    `no ssh destination: ${JSON.stringify(destination)}; a host name, an address or a machine's id is one, with or without a user before it, such as admin@10.0.0.7`,
  );
}
