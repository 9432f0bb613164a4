import { describe, expect, test } from "@jest/globals";
import { fixtureNames, readFixture, readFixtureFiles } from "../plan-fixture.js";
import { HARMFUL } from "./harmful.js";
import { Oracle } from "./oracle.js";

const harmOf = (name: string): string | undefined => {
  const files = readFixtureFiles(name);
  return new Oracle(files).harmOf(files.plan);
};

describe("The oracle of the search", () => {
  test("finds no harm in any recorded plan that is accepted", () => {
    const accepted = fixtureNames.filter((name) => readFixture(name).verdict === "accepted");
    expect(accepted.flatMap((name) => [harmOf(name) ?? []].flat().map((why) => `${name}: ${why}`))).toEqual(
      [],
    );
    expect(accepted.length).toBeGreaterThan(30);
  });

  test("says what is harmful in each plan that the search begins with", () => {
    expect(Object.fromEntries(HARMFUL.map((name) => [name, harmOf(name)]))).toMatchInlineSnapshot(`
     {
       "block-dropped": "terraform_data.broker-2-leave: delete, of broker-2",
       "destroy": "terraform_data.broker-0-0: delete, of broker-0",
       "foreign-host-missing": "terraform_data.broker-1-0: made, of broker-1",
       "import-block": "terraform_data.broker-1-1: brought from elsewhere",
       "index-key": "terraform_data.broker-1-revision: listed 0 times",
       "leave-held": "terraform_data.broker-0-0: goes before its hooks",
       "moved-and-replaced": "terraform_data.broker-1-0: listed 0 times",
       "moved-host": "terraform_data.broker-1-0: listed 0 times",
       "own-resource-replaced": "terraform_data.zone: shared, delete,create",
       "removed-block": "terraform_data.broker-2-leave: forget, of broker-2",
       "replace-foreign-host": "terraform_data.broker-1-0: delete,create, of broker-1",
       "replace-own-host": "terraform_data.broker-0-0: goes before its hooks",
       "retire-too-early": "terraform_data.broker-0-0-data: delete, of broker-0",
       "retire-two-groups": "terraform_data.broker-1-0: delete, of broker-1",
       "retire-volume-deleted": "terraform_data.broker-0-0-data: data is deleted",
       "retire-without-hook": "terraform_data.broker-0-0: leave is not run",
       "shared-by-group": "terraform_data.broker-load-balancer: shared, update",
       "shared-replaced": "terraform_data.broker-load-balancer: shared, delete,create",
       "stale-view-hosts": "a part of a plan",
       "successor-first-leave": "terraform_data.broker-0-0: create,delete",
       "tainted-foreign-ready": "terraform_data.broker-1-ready: delete,create, of broker-1",
       "tainted-leave": "terraform_data.broker-0-0: goes before its hooks",
       "two-groups": "terraform_data.broker-1-0: delete,create, of broker-1",
       "two-server-groups": "terraform_data.nomad-server-0-0: delete,create, of nomad-server-0",
       "volume-forgotten": "terraform_data.broker-0-1-data: is forgotten",
       "volume-of-shrunk-group": "terraform_data.broker-0-1-data: data is lost",
     }
    `);
  });
});
