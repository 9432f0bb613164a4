import { LoadBalancer } from "../clients/aws/load-balancer.js";
import { Ec2Machines } from "../clients/aws/ec2.js";
import { parseHostName } from "../cluster/address.js";
import { durationSeconds } from "../cluster/yaml/duration.js";
import { poolsOf } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import type { HookArgs, HookContext } from "./hook-context.js";
import { Timeline } from "./timeline.js";

const EVERY_MS = 5000;

/** Beyond the time that open connections may last: the load balancer's own checks and records. */
const GRACE_SECONDS = 120;

/** Waits until the load balancer has let go of a machine, which Terraform has deregistered just before. */
export async function runLbDrainedHook(
  { file: { spec }, clock, say, signal }: HookContext,
  { subject: host }: HookArgs,
): Promise<void> {
  const member = parseHostName(host);
  const balancer = poolsOf(spec).find(({ name }) => name === member?.pool)?.loadBalancer;
  if (spec.platform !== "aws" || !member || !balancer) {
    say(`${host}: nothing to do: it is behind no load balancer`);
    return;
  }
  const { region } = spec.aws;
  const machines = (await new Ec2Machines({ region }).find(spec.name, { group: member.group })).filter(
    (machine) => machine.host === host,
  );
  if (machines.length === 0) {
    say(`${host}: nothing to do: EC2 has no machine of this name any more`);
    return;
  }
  const timeline = new Timeline(host, clock, say);
  const targets = new LoadBalancer({ region });
  const seconds = durationSeconds(balancer.deregistrationDelay) + GRACE_SECONDS;
  const begun = clock.now();
  for (;;) {
    signal.throwIfAborted();
    const states = await targets.targetStates(
      `${spec.name}-${member.pool}`,
      machines.map(({ instanceId }) => instanceId),
    );
    const held = [...states].filter(([, { state }]) => state !== "gone" && state !== "unused");
    if (held.length === 0) {
      timeline.end("is drained at the load balancer");
      return;
    }
    const remaining = held.map(
      ([id, { state, reason }]) => `${id} is ${state}${reason === "" ? "" : ` (${reason})`}`,
    );
    if (clock.now() - begun > seconds * 1000) {
      throw new UserError(
        `${host} is not drained at the load balancer after ${String(seconds)} s: ${remaining.join(", ")}; run it again once it is`,
      );
    }
    timeline.waits(remaining);
    await clock.pause(EVERY_MS, signal);
  }
}
