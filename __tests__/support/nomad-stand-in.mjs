// Stands in for the binary `nomad` where none can be had: `nomad-stand-in.mjs CONTROL agent -config=FOLDER`. It starts a
// machine in the simulator behind CONTROL and passes on, at the address of its configuration, what that machine's Nomad
// says. It ends as an agent does: a server leaves when it is asked to end.
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { join } from "node:path";

const [control, , config = ""] = process.argv.slice(2);
const settings = JSON.parse(await readFile(join(config.replace("-config=", ""), "agent.json"), "utf8"));
const { name, bind_addr: address, server, client } = settings;

const tell = async (method, path, body) => {
  const response = await fetch(`${control}${path}`, { method, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
};

await tell("DELETE", `/machines/${name}`);
const { machines } = await tell("POST", "/machines", {
  machine: {
    name,
    address,
    role: server ? "nomad-server" : "client",
    meta: client?.meta ?? {},
    leaveOnInterrupt: settings.leave_on_interrupt,
  },
});
const nomad = machines[name].nomad;

createServer((incoming, response) => {
  const { method, url, headers } = incoming;
  const asked = request(`${nomad}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  asked.on("error", () => response.destroy());
  incoming.pipe(asked);
}).listen(4646, address);

const end = async () => {
  await tell("POST", `/machines/${name}/stop`, { product: "nomad" });
  for (;;) {
    const runs = await fetch(`${nomad}/v1/agent/self`).then(
      () => true,
      () => false,
    );
    if (!runs) process.exit(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
process.once("SIGINT", end);
process.once("SIGTERM", end);
