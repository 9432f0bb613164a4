import { RolloutApp } from "./program/typed/rollout-app.js";

// What `npx cdktf` runs where a YAML declares all of a cluster: one stack for each view. `rollout` never runs it but does the same by
// itself, so what is your own goes into a program of yours, which `cdktf.json` names in place of this.
await RolloutApp.fromYaml().synth();
