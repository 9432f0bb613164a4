import { describeKilled, type Case } from "./killed.js";

const group = "broker-0";

const CASES: readonly Case[] = [
  [group, "preflight", "SIGINT", "driver"],
  [group, "plan", "SIGTERM", "driver"],
  [group, "plan", "SIGINT", "terraform"],
  [group, "plan", "SIGKILL", "terraform"],
  [group, "leave", "SIGKILL", "driver"],
  [group, "drain under way", "SIGINT", "driver"],
  [group, "drain under way", "SIGKILL", "driver"],
  [group, "leave hook", "SIGKILL", { hook: "leave" }],
  [group, "stop-agents", "SIGINT", "driver"],
  [group, "stop-agents", "SIGKILL", "driver"],
  [group, "stop-agents", "SIGKILL", { hook: "stop-agents" }],
  [group, "start-agents", "SIGTERM", "driver"],
  [group, "start-agents", "SIGINT", "terraform"],
  [group, "start-agents", "SIGKILL", "terraform"],
  [group, "start-agents", "SIGKILL", { hook: "start-agents" }],
  [group, "configure-consul", "SIGKILL", "driver"],
  [group, "configure-consul", "SIGTERM", "terraform"],
  [group, "configure-consul", "SIGINT", { hook: "configure-consul" }],
  [group, "gate", "SIGKILL", "driver"],
  [group, "baking", "SIGINT", "driver"],
  [group, "record", "SIGINT", "driver"],
  [group, "ready hook of the record", "SIGKILL", "driver"],
  [group, "ready hook of the record", "SIGTERM", { hook: "ready" }],
];

describeKilled("A roll of clients that is cut off and run again", CASES);
