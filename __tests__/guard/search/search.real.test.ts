import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../../support/environment.js";
import { isLong } from "../../support/long.js";
import { runCase, type Outcome } from "./case.js";
import { Clusters } from "./clusters.js";

/** Always the same cases, unless another seed is asked for; and one of them alone where its number is. */
const SEED = Number(process.env["ROLLOUT_TEST_SEED"] ?? 1);
const ALONE = process.env["ROLLOUT_TEST_CASE"];
const CASES = isLong ? 500 : 6;

describeReal("Whatever is done to a view by hand", ["terraform"], (real) => {
  let clusters: Clusters;

  beforeAll(async () => {
    clusters = await Clusters.create(real);
  });

  afterAll(() => {
    clusters.remove();
  });

  test("x", async () => {
    const fs = await import("node:fs");
    const t = Date.now();
    const numbers = ALONE === undefined ? Array.from({ length: CASES }, (_, n) => n) : [Number(ALONE)];
    const outcomes = new Map<number, Outcome>();
    const left = [...numbers];
    const work = async (): Promise<void> => {
      for (let n = left.shift(); n !== undefined; n = left.shift()) {
        outcomes.set(n, await runCase(clusters, SEED, n));
        fs.writeFileSync("/tmp/sa/outcomes.json", JSON.stringify([...outcomes], null, 1));
        if (n % 50 === 0) fs.appendFileSync("/tmp/sa/times", n + " " + (Date.now() - t) / 1000 + "\n");
      }
    };
    await Promise.all([work(), work(), work()]);
    (await import("node:fs")).writeFileSync("/tmp/sa/outcomes.json", JSON.stringify([...outcomes], null, 1));
    console.log((Date.now() - t) / 1000);
    expect(1).toBe(1);
  }, 3_600_000);
});
