/** The hooks that Terraform's local-exec calls, and what each is to do. */
const HOOKS = {
  leave:
    "makes work leave the machines of a group: out of the load balancer, drained in Nomad, out of Consul",
  "lb-drained": "waits until a machine is drained at the load balancer",
  ready: "waits until a group is whole again",
  "configure-consul": "writes the addresses of the Consul servers to a machine",
} as const;

export type HookName = keyof typeof HOOKS;

/**
 * Says plainly that a hook does no work yet, so that nobody takes a roll of this version for a safe one: no machine is
 * drained, nothing is waited for.
 */
export function runHook(hook: HookName, subject: string): string {
  return `rollout hook ${hook} ${subject}: did nothing; in this version it does not yet do what it is for (${HOOKS[hook]})`;
}
