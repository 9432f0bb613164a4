import { describeKilled, type Case } from "./killed.js";

const nomad = "nomad-server-1";
const consul = "consul-server-1";

const CASES: readonly Case[] = [
  [nomad, "preflight", "SIGKILL", "driver"],
  [nomad, "plan", "SIGINT", "driver"],
  [nomad, "leave", "SIGINT", "driver"],
  [nomad, "server leaving", "SIGKILL", "driver"],
  [nomad, "apply", "SIGINT", "driver"],
  [nomad, "stop-agents", "SIGTERM", "terraform"],
  [nomad, "start-agents", "SIGKILL", "driver"],
  [nomad, "configure-consul", "SIGKILL", "terraform"],
  [nomad, "gate", "SIGTERM", "driver"],
  [nomad, "ready hook of the record", "SIGKILL", "terraform"],
  [consul, "preflight", "SIGTERM", "driver"],
  [consul, "plan", "SIGKILL", "driver"],
  [consul, "server leaving", "SIGINT", "driver"],
  [consul, "server leaving", "SIGKILL", "driver"],
  [consul, "leave hook", "SIGTERM", { hook: "leave" }],
  [consul, "start-agents", "SIGINT", { hook: "start-agents" }],
  [consul, "configure-consul", "SIGINT", "driver"],
  [consul, "configure-consul", "SIGKILL", "terraform"],
  [consul, "configure-consul", "SIGKILL", { hook: "configure-consul" }],
  [consul, "baking", "SIGKILL", "driver"],
  [consul, "record", "SIGINT", "terraform"],
];

describeKilled("A roll of servers that is cut off and run again", CASES);
