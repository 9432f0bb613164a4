import { describe, expect, test } from "@jest/globals";
import { hostName, parseAddress } from "../../cluster/address.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { explainGroup } from "../../rollout/review/explain-group.js";
import { findGroup } from "../../cluster/find-group.js";
import { hookFileOf } from "../../cluster/hooks/hook-file.js";
import {
  change,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  refusal,
  type Resources,
  resourcesOf,
  synthesize,
  verdictOf,
  withGroup,
} from "../support/fixtures.js";

const GROUP = "name-server-0";
const spec = of(3);
const standing = wandered(spec);

describe("the view of a group whose hosts are 0, 1 and 3", () => {
  test("declares what is deployed and says so", () => {
    expect(hostsIn(resourcesOf(spec, standing, GROUP))).toEqual([0, 1, 3]);
    const { variable } = JSON.parse(synthesize(spec, standing, [GROUP]).get(GROUP) ?? "") as Stack;
    expect(variable["rollout_numbers"]).toEqual({
      type: "list(number)",
      default: [0, 1, 3],
      description: "The numbers of the group's hosts.",
    });
    expect(verdictOf(spec, standing, GROUP)).toMatchObject({ verdict: "accepted", touched: [] });
  });

  test("says nothing in the views of others", () => {
    expect(synthesize(spec, standing, ["cluster"]).get("cluster")).not.toContain("rollout_numbers");
    expect(hostsIn(resourcesOf(spec, standing, "cluster"))).toEqual([0, 1, 3]);
  });

  test("grows by the lowest that are free", () => {
    const view = resourcesOf(of(5), standing, GROUP);
    expect(hostsIn(view)).toEqual([0, 1, 2, 3, 4]);
    expect(JSON.stringify([...view])).not.toContain("rollout_numbers");
  });

  test("shrinks by the highest", () => {
    expect(hostsIn(resourcesOf(of(2), standing, GROUP))).toEqual([0, 1]);
    expect(explainGroup(findGroup(of(2), GROUP), groupIn(standing, GROUP), around)).toMatchObject({
      machines: { replaced: 0, created: 0, destroyed: 1, stay: 2 },
    });
  });

  test("makes the same number again", () => {
    const { hosts } = groupIn(standing, GROUP);
    const lost = withGroup(standing, GROUP, { hosts: hosts.filter(({ number }) => number !== 1) });
    expect(hostsIn(resourcesOf(spec, lost, GROUP))).toEqual([0, 1, 3]);
  });

  test("records them", () => {
    const other = of(3, "ami-0bbb");
    const revision = resourcesOf(other, standing, GROUP).get(`terraform_data.${GROUP}-revision`);
    expect(revision).toMatchObject({ input: { completed: { attempt: 2, numbers: [0, 1, 3] } } });
  });

  test("tells its hooks", () => {
    expect(hookFileOf({ spec, deployed: standing, specFolder: "." })).not.toHaveProperty("numbers");
    const rolled = { name: GROUP, numbers: [0, 1, 3] };
    expect(hookFileOf({ spec, deployed: standing, specFolder: ".", rolled })).toMatchObject({
      numbers: { group: GROUP, hosts: [0, 1, 3] },
    });
  });

  test("refuses other numbers in its plan than it was made with", () => {
    expect(
      refusal(spec, standing, GROUP, (view) => {
        view.addOverride("variable.rollout_numbers.default", [0, 1, 2]);
      }),
    ).toMatchInlineSnapshot(
      `"base-revision: the view name-server-0 would say otherwise than it was made from: variable.rollout_numbers; leave them as they are rendered; the backend belongs in cluster.yaml"`,
    );
  });
});

interface Stack {
  readonly variable: Record<string, unknown>;
}

const around = { deployed: standing, spec: of(2) };

function of(hosts: number, image?: string): Spec {
  return change(localSpec(), (edited) => {
    const pool = poolOf(edited, "name-server");
    pool.hosts = [hosts, 1, 1];
    if (image !== undefined) pool.images[0] = image;
  });
}

/** The same, where host 3 stands in the place of host 2. */
function wandered(of: Spec): Deployed {
  const deployed = deployedAs(of);
  const hosts = groupIn(deployed, GROUP).hosts.map((host) =>
    host.number < 2 ? host : { ...host, number: 3, name: hostName(GROUP, 3) },
  );
  const addresses = new Set([...deployed.addresses].map((each) => each.replace(`${GROUP}-2`, `${GROUP}-3`)));
  const ended = hosts.map(({ id = "" }) => `${id}:0`).join(",");
  const completed = { attempt: 1, hosts: ended, gate: "open", numbers: [0, 1, 3] };
  const ready = {
    hosts: hosts.map(({ id }) => id).join(","),
    hash: hosts[0]?.hash ?? "",
    gate: "open",
    attempt: 1,
  };
  return { ...withGroup(deployed, GROUP, { hosts, completed, ready }), addresses };
}

const hostsIn = (view: Resources): number[] =>
  [...view.keys()].flatMap((address) => {
    const member = parseAddress(address);
    return member?.kind === "host" && member.group === GROUP ? (member.host ?? []) : [];
  });
