import { afterAll, beforeAll } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import { KillDemo } from "./kill-demo.js";
import { declareKills } from "./kill-cases.js";

describeReal("A roll that is killed, its state in S3", ["terraform", "moto"], (real) => {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
  });

  declareKills("s3", () => KillDemo.create(real, moto));

  afterAll(async () => {
    await moto.stop();
  });
});
