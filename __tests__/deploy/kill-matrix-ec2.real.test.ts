import { describeReal } from "../support/environment.js";
import { Ec2KillDemo } from "./ec2-kill-demo.js";
import { declareKills } from "./kill-cases.js";

describeReal(
  "A roll on EC2 that is killed, its state in S3",
  ["terraform", "aws", "null", "moto"],
  (real) => {
    declareKills("ec2", () => Ec2KillDemo.create(real));
  },
);
