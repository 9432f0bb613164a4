import { describeReal } from "../support/environment.js";
import { declareKills } from "./kill-cases.js";
import { KillDemo } from "./kill-demo.js";

describeReal("A roll that is killed, its state beside the spec", ["terraform"], (real) => {
  declareKills("local", () => KillDemo.create(real, "local"));
});
