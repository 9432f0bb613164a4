import { describeReal } from "../support/environment.js";
import { declareKills } from "./kill-cases.js";
import { KillDemo } from "./kill-demo.js";

describeReal("A roll that is killed, its state in S3", ["terraform", "moto"], (real) => {
  declareKills("s3", () => KillDemo.create(real, "s3"));
});
