import { beforeAll, describe, jest } from "@jest/globals";
import { consulContract } from "./consul-contract.js";
import { nomadContract } from "./nomad-contract.js";
import { simulated } from "./simulated.js";
import { readVersions, say } from "./versions.js";

jest.setTimeout(60_000);

const nothing = { terraform: "", tofu: "", consul: "", nomad: "", env: {} };

const recorded = simulated("the simulator, as the agents were that it was recorded from");

describe(`What is relied on in Consul, against ${recorded.name}`, () => {
  consulContract(recorded, nothing);
});

describe(`What is relied on in Nomad, against ${recorded.name}`, () => {
  nomadContract(recorded, nothing);
});

describe.each(readVersions().filter(({ against }) => against === "definitions"))(
  "What is relied on in $product $version, simulated by its public definitions: the real one has not run",
  ({ product, version }) => {
    const how = `${product} ${version}`;
    beforeAll(() => {
      say(product, version, "simulated by its public definitions: the real one has not run");
    });
    if (product === "Consul")
      consulContract(simulated(how, { consul: { version, transferLeader: true } }), nothing);
    else nomadContract(simulated(how, { nomad: { version } }), nothing);
  },
);
