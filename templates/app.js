import { RolloutApp } from "PACKAGE";

export const app = RolloutApp.fromYaml();

// For resources of your own, such as an alarm, which cluster.yaml names by rollout.ownResources: [alarms]
// app.cluster.inEachView((view) => new Alarms(view, "alarms"));
