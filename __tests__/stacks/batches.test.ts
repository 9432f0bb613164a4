import { describe, expect, test } from "@jest/globals";
import type { Deployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  exampleSpec,
  groupIn,
  localSpec,
  poolOf,
  refusal,
  resourceIn,
  resourcesOf,
  revisionsOf,
  synthesize,
  type Tamper,
  withGroup,
  withoutAddresses,
} from "../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);
/** broker-0, of three hosts, gets another image, a host at a time. */
const spec = batches(local, "ami-0bbb");
const { hash: NEW } = findGroup(spec, "broker-0");
const OLD = findGroup(local, "broker-0").hash;
const WAITING = ["broker-0-1", "broker-0-2"];
const FROZEN = { prevent_destroy: true, ignore_changes: "all" };

describe("the view of a batch", () => {
  const view = resourcesOf(spec, standing, "broker-0", undefined, WAITING);

  test("has the machine of the batch as desired, and those that wait frozen as they are deployed", () => {
    expect(view.get("terraform_data.broker-0-0")).toMatchObject({
      input: { image: "ami-0bbb" },
      triggers_replace: NEW,
    });
    expect(view.get("terraform_data.broker-0-0")).not.toHaveProperty("lifecycle");
    for (const host of WAITING) {
      expect(view.get(`terraform_data.${host}`)).toMatchObject({
        input: { image: "ami-0aaa" },
        triggers_replace: OLD,
        lifecycle: FROZEN,
      });
      for (const kind of ["data", "data-attachment", "target"])
        expect(view.get(`terraform_data.${host}-${kind}`)).toMatchObject({ lifecycle: FROZEN });
    }
  });

  test("tells leave who waits, in its command and in what triggers it", () => {
    expect(view.get("terraform_data.broker-0-leave")).toMatchObject({
      triggers_replace: {
        hash: NEW,
        hosts: "broker-0-0,broker-0-1,broker-0-2",
        waiting: "broker-0-1,broker-0-2",
      },
      provisioner: [
        {
          "local-exec": {
            command: `exec node "../../../dist/bin/rollout.js" hook leave broker-0 --hash ${NEW} --stay broker-0-0,broker-0-1,broker-0-2 --waiting broker-0-1,broker-0-2`,
          },
        },
      ],
    });
  });

  test("names those that wait in its plan, and lets nobody open its gate", () => {
    const { variable } = JSON.parse(
      synthesize(spec, standing, ["broker-0"], undefined, WAITING).get("broker-0") ?? "",
    ) as { variable: unknown };
    expect(variable).toMatchObject({
      rollout_waiting: { type: "list(string)", default: WAITING },
      rollout_gate: {
        default: "open",
        validation: [
          {
            condition: '${contains(["closed"], var.rollout_gate)}',
            error_message:
              "This view leaves machines of broker-0 for a later batch, so it proves nothing. Run: rollout deploy broker-0",
          },
        ],
      },
    });
  });

  test("keeps its history while the gate is closed", () => {
    expect(revisionsOf(view, "broker-0", "closed")).toEqual(groupIn(standing, "broker-0").revisions);
  });

  test("is the view of the whole group where none waits", () => {
    expect(synthesize(spec, standing, ["broker-0"], undefined, [])).toEqual(
      synthesize(spec, standing, ["broker-0"]),
    );
    expect(synthesize(spec, standing, ["broker-0"]).get("broker-0")).not.toContain("waiting");
  });

  test("on aws holds the machines that wait by their own image, type and subnet", () => {
    const aws = exampleSpec();
    const onAws = resourcesOf(batches(aws, "ami-0bbb"), deployedAs(aws), "broker-0", undefined, WAITING);
    expect(onAws.get("aws_instance.broker-0-0")).toMatchObject({ ami: "ami-0bbb" });
    expect(onAws.get("aws_instance.broker-0-1")).toMatchObject({ ami: "ami-0aaa", lifecycle: FROZEN });
  });

  test("leaves the data volume of a machine that waits as large as it is", () => {
    const larger = change(spec, (edited) => {
      edited.rollout.pendingGroups = "queue";
      const volumes = poolOf(edited, "broker").dataVolumes;
      if (volumes) volumes[0].sizeGib += 50;
    });
    const size = (view: ReturnType<typeof resourcesOf>, host: string): unknown =>
      view.get(`terraform_data.${host}-data`)?.["input"];
    const resized = resourcesOf(larger, standing, "broker-0", undefined, WAITING);
    expect(size(resized, "broker-0-1")).toEqual(size(view, "broker-0-1"));
    expect(size(resized, "broker-0-0")).not.toEqual(size(view, "broker-0-0"));
  });

  test("declares nothing of a machine that waits which is not deployed", () => {
    const bare = withoutAddresses(standing, "terraform_data.broker-0-1-target");
    expect(
      resourcesOf(spec, bare, "broker-0", undefined, WAITING).has("terraform_data.broker-0-1-target"),
    ).toBe(false);
  });
});

describe("the views that follow", () => {
  test("freeze what is new by then", () => {
    const view = resourcesOf(spec, halfway(), "broker-0", undefined, ["broker-0-2"]);
    expect(view.get("terraform_data.broker-0-0")).toMatchObject({ triggers_replace: NEW, lifecycle: FROZEN });
    expect(view.get("terraform_data.broker-0-1")).not.toHaveProperty("lifecycle");
    expect(view.get("terraform_data.broker-0-2")).toMatchObject({ triggers_replace: OLD, lifecycle: FROZEN });
  });

  test("make leave anew where it is gone, while machines that work wait", () => {
    const cut = cutAfterLeave(spec, standing, "broker-0");
    const hosts = groupIn(cut, "broker-0").hosts.map((host) => {
      const before = groupIn(standing, "broker-0").hosts.find(({ number }) => number === host.number);
      return host.number > 0 && before ? before : host;
    });
    const deployed = withGroup(cut, "broker-0", { hosts });
    const view = resourcesOf(spec, deployed, "broker-0", undefined, WAITING);
    expect(view.get("terraform_data.broker-0-0")).not.toHaveProperty("lifecycle");
    expect(refusal(spec, deployed, "broker-0")).toMatchInlineSnapshot(
      `"leave-hook-runs: broker-0 has no leave in the state, so these hosts would go before their work has left: broker-0-1 (ami-0aaa), broker-0-2 (ami-0aaa); make its leave anew and go on with: rollout deploy broker-0"`,
    );
  });
});

describe("what is done to the view of a batch by hand", () => {
  test("refuses another image for a machine that waits", () => {
    expect(
      tampered("terraform_data.broker-0-1", (resource) => {
        resource.addOverride("input.image", "ami-0bbb");
      }),
    ).toMatchInlineSnapshot(`
     "one-batch: machines of broker-0 that wait for a later batch would change: terraform_data.broker-0-1 (ami-0aaa -> ami-0bbb); declare them as they are deployed; remove the override
     one-batch: 2 machines of broker-0 would be replaced at once, and pools.broker.maxUnavailable is 1: broker-0-0, broker-0-1; make the plan by: rollout deploy broker-0
     image-as-desired: hosts of broker-0 would be otherwise than the spec says: terraform_data.broker-0-1 (template hash 9ed2e93399, desired 1556e11189); change broker-0 in cluster.yaml instead of overriding it"
    `);
  });

  test("refuses a machine that waits and is not frozen", () => {
    expect(
      tampered("terraform_data.broker-0-1", (resource) => {
        resource.addOverride("lifecycle.prevent_destroy", false);
      }),
    ).toMatchInlineSnapshot(
      `"freeze-kept: broker-0 is not frozen in the view broker-0: terraform_data.broker-0-1; leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override"`,
    );
  });

  test("refuses a machine of the batch that is frozen", () => {
    expect(
      tampered("terraform_data.broker-0-0", (resource) => {
        resource.addOverride("lifecycle", { prevent_destroy: true });
      }),
    ).toMatchInlineSnapshot(
      `"image-as-desired: hosts of broker-0 would stay as they are, though they are to be replaced: terraform_data.broker-0-0; remove prevent_destroy and ignore_changes from them in this view"`,
    );
  });

  test("refuses a leave that would not be replaced by the next batch", () => {
    expect(
      tampered("terraform_data.broker-0-leave", (resource) => {
        resource.addOverride("triggers_replace.waiting", "broker-0-2");
      }),
    ).toMatchInlineSnapshot(
      `"hooks-as-rendered: hooks would not run when their machines change: terraform_data.broker-0-leave; leave triggers and lifecycle as they are rendered; remove the override"`,
    );
  });

  test("refuses to name others that wait", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("variable.rollout_waiting.default", ["broker-0-2"]);
    };
    expect(refusal(spec, standing, "broker-0", tamper, WAITING)).toMatchInlineSnapshot(
      `"base-revision: the view broker-0 would say otherwise than it was made from: variable.rollout_waiting; leave them as they are rendered; the backend belongs in cluster.yaml"`,
    );
  });

  function tampered(address: string, edit: (resource: ReturnType<typeof resourceIn>) => void): string {
    const tamper: Tamper = (view) => {
      edit(resourceIn(view, address));
    };
    return refusal(spec, standing, "broker-0", tamper, WAITING);
  }
});

test("refuses a batch of more machines than maxUnavailable", () => {
  expect(refusal(spec, standing, "broker-0", undefined, ["broker-0-2"])).toMatchInlineSnapshot(
    `"one-batch: 2 machines of broker-0 would be replaced at once, and pools.broker.maxUnavailable is 1: broker-0-0, broker-0-1; make the plan by: rollout deploy broker-0"`,
  );
});

test("refuses to let a machine wait that is no client's of an older template", () => {
  const server = change(local, ({ pools }) => {
    pools["nomad-server"].images[0] = "ami-0bbb";
  });
  expect(refusal(server, standing, "nomad-server-0", undefined, ["nomad-server-0-0"])).toMatchInlineSnapshot(
    `"one-batch: hosts of nomad-server-0 cannot wait for a later batch, since none of them is a client's of an older template: nomad-server-0-0; synthesize and plan again; batches are made by: rollout deploy nomad-server-0"`,
  );
  expect(refusal(spec, halfway(), "broker-0", undefined, ["broker-0-0", "broker-0-2"])).toContain(
    "one-batch: hosts of broker-0 cannot wait for a later batch, since none of them is a client's of an older template: broker-0-0;",
  );
});

test("refuses to set a group back in the middle, since what has waited may get no work", () => {
  expect(refusal(local, halfway(), "broker-0")).toMatchInlineSnapshot(
    `"leave-hook-runs: broker-0 has left, so these hosts cannot stay as they are: broker-0-1, broker-0-2; raise generations[0] of pool broker to replace the group whole, or take the image that it was being rolled to"`,
  );
});

function batches(before: Spec, image: string): Spec {
  return change(before, (edited) => {
    const pool = poolOf(edited, "broker");
    pool.images[0] = image;
    pool.maxUnavailable = 1;
  });
}

/** What the state says once the first batch was applied. */
function halfway(): Deployed {
  const { hosts } = groupIn(standing, "broker-0");
  return withGroup(standing, "broker-0", {
    hosts: hosts.map((host) => (host.number === 0 ? { ...host, image: "ami-0bbb", hash: NEW } : host)),
    ready: { hosts: hosts.map(({ id }) => id).join(","), hash: NEW, gate: "closed" },
  });
}
