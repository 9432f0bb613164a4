import { describe, jest } from "@jest/globals";
import { consulContract } from "./consul-contract.js";
import { nomadContract } from "./nomad-contract.js";
import { simulated } from "./simulated.js";

jest.setTimeout(60_000);

const nothing = { terraform: "", tofu: "", consul: "", nomad: "", env: {} };

describe(`What is relied on in Consul, against ${simulated.name}`, () => {
  consulContract(simulated, nothing);
});

describe(`What is relied on in Nomad, against ${simulated.name}`, () => {
  nomadContract(simulated, nothing);
});
