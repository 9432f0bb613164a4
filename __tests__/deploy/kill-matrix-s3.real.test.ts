import { afterAll, beforeAll, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import { comesToTheSame } from "./kill-cases.js";
import { KillDemo } from "./kill-demo.js";
import { matrix, titleOf } from "./kill-matrix.js";

const CASES = matrix(120).filter(({ backend }) => backend === "s3");

describeReal("A roll that is killed, its state in S3", ["terraform", "moto"], (real) => {
  let moto: Moto;
  let demo: KillDemo | undefined;

  beforeAll(async () => {
    moto = await startMoto();
    demo = await KillDemo.create(real, moto);
  });

  afterAll(async () => {
    await demo?.remove();
    await moto.stop();
  });

  test.each(CASES.map((each) => ({ title: titleOf(each), ...each })))("$title", async (each) => {
    demo ??= await KillDemo.create(real, moto);
    try {
      await comesToTheSame(demo, each);
    } catch (error) {
      // What it has left behind is no other case's.
      await demo.remove();
      demo = undefined;
      throw error;
    }
  });
});
