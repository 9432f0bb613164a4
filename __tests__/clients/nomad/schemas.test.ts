import { expect, test } from "@jest/globals";
import { Node } from "../../../clients/nomad/schemas.js";

test("a CSI plugin of a node is where it is, and null where it is not healthy", () => {
  const NodeInfo = { AccessibleTopology: { Segments: { zone: "a" } } };
  const { CSINodePlugins } = Node.parse({
    ...{ ID: "node", Name: "broker-0-0", Status: "ready", SchedulingEligibility: "eligible", ModifyIndex: 1 },
    ...{ Meta: {}, Attributes: {}, Events: [] },
    CSINodePlugins: {
      ebs: { Healthy: true, NodeInfo },
      efs: { Healthy: true, NodeInfo: null },
      nfs: { Healthy: false, NodeInfo },
      old: { NodeInfo },
    },
  });
  expect(CSINodePlugins).toEqual({ ebs: { zone: "a" }, efs: {}, nfs: null, old: { zone: "a" } });
});
