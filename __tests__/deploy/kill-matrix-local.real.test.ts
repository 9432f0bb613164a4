import { afterAll, beforeAll, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { comesToTheSame } from "./kill-cases.js";
import { KillDemo } from "./kill-demo.js";
import { matrix, titleOf } from "./kill-matrix.js";

const CASES = matrix(120).filter(({ backend }) => backend === "local");

describeReal("A roll that is killed, its state beside the spec", ["terraform"], (real) => {
  let demo: KillDemo | undefined;

  beforeAll(async () => {
    demo = await KillDemo.create(real);
  });

  afterAll(async () => {
    await demo?.remove();
  });

  test.each(CASES.map((each) => ({ title: titleOf(each), ...each })))("$title", async (each) => {
    demo ??= await KillDemo.create(real);
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
