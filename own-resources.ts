import type { TerraformStack } from "cdktf";

/**
 * The place for shared resources of your own, such as a DNS zone or an alarm: construct them in `view`, below a construct
 * whose path `rollout.ownResources` in `cluster.yaml` names. They are part of every view: the cluster view creates and
 * updates them, the view of a group leaves them as they are. They may name shared parts; what names a member of a group,
 * or runs something, is refused.
 */
export const addOwnResources: (view: TerraformStack) => void = () => {
  // new Alarms(view, "monitoring");
};
