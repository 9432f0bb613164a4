import { beforeAll, jest } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { nomadContract } from "./nomad-contract.js";
import { realNomad } from "./real-nomad.js";
import { ranAgainst } from "./versions.js";

jest.setTimeout(300_000);

describeReal(`What is relied on in Nomad, against ${realNomad.name}`, realNomad.needs, (real) => {
  beforeAll(() => ranAgainst("Nomad", real.nomad));
  nomadContract(realNomad, real);
});
