import { expect, test } from "@jest/globals";
import { consulSettings, nomadSettings } from "../../../clients/local-machines/real-settings.js";

const order = { name: "consul-server-0-1", role: "consul-server", meta: {}, speed: 1, servers: 5 } as const;

test("as many servers form a new cluster as there are to be", () => {
  expect(consulSettings(order, "127.0.0.1", "/data")).toMatchObject({ bootstrap_expect: 5 });
  expect(nomadSettings({ ...order, role: "nomad-server" }, "127.0.0.1", "/data", 0)).toMatchObject({
    server: { bootstrap_expect: 5 },
  });
  expect(consulSettings({ ...order, role: "client" }, "127.0.0.1", "/data")).not.toHaveProperty(
    "bootstrap_expect",
  );
});
