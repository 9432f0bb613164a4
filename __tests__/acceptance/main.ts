import { createInterface } from "node:readline/promises";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { clientSettings } from "../../clients/aws/settings.js";
import { UserError } from "../../cluster/user-error.js";
import type { AccountProps } from "./account.js";
import { readArguments, USAGE } from "./arguments.js";
import { checkGiven } from "./check.js";
import { CLUSTER } from "./cluster.js";
import { Scenarios } from "./scenarios.js";
import { type Clients, describeKinds, findTagged, takeDown } from "./take-down.js";

/** Of on-demand machines in eu-west-1, as AWS lists them; generous. */
const PLAN = `It starts 12 machines (t3.small, 16 GiB each), one network load balancer and three volumes of 1 GiB, each machine once more
while its group is rolled, writes four parameters to SSM, and takes all of it down in the end. That takes about 60 minutes and
costs about 0.50 USD in eu-west-1; other regions and public addresses may double it. It is meant for an account that you can lose.
`;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function main(): Promise<number> {
  const wanted = readArguments(process.argv.slice(2), process.env);
  if (!("verb" in wanted)) return refuse([...wanted, "", USAGE]);
  if (wanted.verb === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const clients = {
    ec2: new EC2Client(clientSettings({})),
    loadBalancing: new ElasticLoadBalancingV2Client(clientSettings({})),
  };
  if (wanted.verb === "down") {
    const found = await findTagged(clients, CLUSTER);
    if (found.length === 0) {
      say(`nothing has the tag rollout:cluster=${CLUSTER}`);
      return 0;
    }
    say(`${described(found)} of ${CLUSTER} are deleted, with what is on them:`);
    for (const { kind, id } of found) say(`  ${kind} ${id}`);
    if (!wanted.yes && !(await ask())) return 1;
    return down(clients);
  }
  const checked = await checkGiven(clients.ec2, wanted.given);
  if (!("region" in checked)) return refuse(checked);
  const left = await findTagged(clients, CLUSTER);
  if (left.length > 0)
    return refuse([
      `an earlier run left ${described(left)}; npm run acceptance:aws -- --down takes them down`,
    ]);
  say(PLAN);
  if (!wanted.yes && !(await ask())) return 1;
  const exitCode = await runScenarios({ settings: checked, images: wanted.given.images }, wanted.only);
  return (await down(clients)) === 0 ? exitCode : 1;
}

/** Ctrl-C ends the scenarios, never what takes down. */
async function runScenarios(props: AccountProps, only: string | undefined): Promise<number> {
  const scenarios = Scenarios.start(props, only);
  let stopped = 0;
  const stop = (signal: NodeJS.Signals): void => {
    say(stopped === 0 ? `${signal}: stopping, then taking it down; wait` : "it is being taken down; wait");
    if (stopped === 0) scenarios.stop();
    stopped = 130;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const exitCode = await scenarios.ended();
  return stopped === 0 ? exitCode : stopped;
}

async function down(clients: Clients): Promise<number> {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5000));
  const left = await takeDown(() => findTagged(clients, CLUSTER), { minutes: 20, pause, say });
  if (left.length > 0)
    say(
      `not taken down, and paid for until npm run acceptance:aws -- --down does it:\n  ${left.join("\n  ")}`,
    );
  return left.length === 0 ? 0 : 1;
}

function refuse(lines: readonly string[]): number {
  for (const line of lines) say(line);
  return 2;
}

const described = (found: readonly { readonly kind: string }[]): string =>
  describeKinds(found.map(({ kind }) => kind));

/** Whatever is no yes, the end of the input among it, is a no. */
async function ask(): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) =>
    lines.once("close", () => {
      resolve("");
    }),
  );
  const answer = await Promise.race([lines.question("Do it? Only yes is taken: "), closed]);
  lines.close();
  if (answer.trim() !== "yes") say("\nnothing was done");
  return answer.trim() === "yes";
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  say(error.message);
  return 2;
});
