// Loaded into every Node process of a deployment on moto that a test cuts off: a hook may be held, and then stands in for what the
// machines would do. The list of Consul servers that a machine is given lies in SERVER_LISTS, by its address.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

await import("./hold-hook.mjs");
const [, , , hook] = process.argv;
const { SERVER_LISTS: lists, ROLLOUT_HOST_ADDRESS: address, ROLLOUT_CONSUL_SERVERS: servers } = process.env;
if (lists && address && hook === "configure-consul") writeFileSync(join(lists, address), servers);
await import("./hooks-stand-in.mjs");
