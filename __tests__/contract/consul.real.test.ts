import { beforeAll, jest } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { consulContract } from "./consul-contract.js";
import { realConsul } from "./real-consul.js";
import { ranAgainst } from "./versions.js";

jest.setTimeout(300_000);

describeReal(`What is relied on in Consul, against ${realConsul.name}`, realConsul.needs, (real) => {
  beforeAll(() => ranAgainst("Consul", real.consul));
  consulContract(realConsul, real);
});
