import { afterAll, beforeAll } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import { Ec2KillDemo, IMAGES } from "./ec2-kill-demo.js";
import { declareKills } from "./kill-cases.js";

describeReal(
  "A roll on EC2 that is killed, its state in S3",
  ["terraform", "aws", "null", "moto"],
  (real) => {
    let moto: Moto;

    beforeAll(async () => {
      moto = await startMoto({ images: IMAGES });
    });

    declareKills("ec2", () => Ec2KillDemo.create(real, moto));

    afterAll(async () => {
      await moto.stop();
    });
  },
);
