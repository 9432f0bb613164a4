import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2Client } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { clientSettings } from "../../clients/aws/settings.js";
import { coreScenarios } from "../fleet/core.js";
import { DemoCluster } from "../fleet/demo-cluster.js";
import { Report } from "../fleet/report.js";
import { describeReal } from "../support/environment.js";
import { Account, type AccountProps } from "./account.js";

describeReal("A cluster in an AWS account, one test after another", ["terraform", "aws", "null"], (real) => {
  let folder: string;
  let account: Account;
  let cluster: DemoCluster;
  const report = new Report("acceptance");

  beforeAll(async () => {
    // Whoever started this takes down what it makes. Once they have ended, however that was, it makes no more.
    new Socket({ fd: 0 })
      .once("end", () => {
        process.kill(-process.pid, "SIGINT");
        setTimeout(() => process.kill(-process.pid, "SIGKILL"), 60_000);
      })
      .resume()
      .unref();
    // Short: a path of a socket has hardly more than a hundred letters.
    folder = await mkdtemp(join(tmpdir(), "acc-"));
    const props = JSON.parse(process.env["ROLLOUT_ACCEPTANCE"] ?? "") as AccountProps;
    account = Account.start(new EC2Client(clientSettings({})), folder, props);
    cluster = await DemoCluster.prepare(account, real);
  });

  afterEach(async () => {
    await report.keep(account);
  });

  afterAll(async () => {
    await report.write(await cluster.versions());
    await account.stop();
    await cluster.workspace.remove();
    await rm(folder, { recursive: true, force: true });
  });

  coreScenarios(() => ({ cluster, report }));
});
