#!/usr/bin/env node
// Terraform calls some dozens of hooks in a roll, so they come without what all the other verbs need.
await (process.argv[2] === "hook"
  ? import("./hook.js")
  : import("./rollout.js").then(({ runRollout }) => runRollout()));
