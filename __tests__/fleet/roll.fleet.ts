import { afterAll, afterEach, beforeAll, expect } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { testCloud } from "./cloud.js";
import { coreScenarios } from "./core.js";
import { DemoCluster } from "./demo-cluster.js";
import { failures } from "./failures.js";
import { Fleet } from "./fleet.js";
import { Report } from "./report.js";

describeReal(
  "A cluster of real machines, one test after another",
  ["terraform", "aws", "null", "moto", "consul", "nomad", "sshd", "fleet"],
  (real) => {
    let fleet: Fleet;
    let cluster: DemoCluster;
    const report = new Report();

    beforeAll(async () => {
      fleet = await Fleet.start();
      cluster = await DemoCluster.prepare(fleet, real);
    });

    afterEach(async () => {
      await report.keep(fleet);
    });

    afterAll(async () => {
      await report.write(await cluster.versions());
      await fleet.stop();
      await cluster.workspace.remove();
      expect(fleet.failures).toEqual([]);
    });

    coreScenarios(() => ({ cluster, report }));

    failures(() => ({ fleet, cluster, report }));

    testCloud({ fleet: () => fleet, cluster: () => cluster, report });
  },
);
