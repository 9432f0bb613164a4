import { expect, test } from "@jest/globals";
import { CONSUL, NOMAD, type Service } from "../../clients/http/service.js";
import { loopbackOf } from "../../live/loopback.js";
import { readRepository } from "../support/consul-agent.js";

test("the image's sshd forwards to where the agents listen, with and without TLS, and nowhere else", async () => {
  const config = await readRepository("docs/image/root/etc/ssh/sshd_config.d/rollout.conf");
  const open = /^ {2}PermitOpen (.*)$/m.exec(config)?.[1]?.split(" ");
  const portOf = (service: Service, scheme: string): number =>
    loopbackOf(service, { [service.addressVariable]: `${scheme}://127.0.0.1` }).port;
  const ports = new Set([CONSUL, NOMAD].flatMap((each) => [portOf(each, "http"), portOf(each, "https")]));
  expect([...ports]).toEqual([8500, 8501, 4646]);
  expect(open).toEqual(
    ["127.0.0.1", "localhost"].flatMap((host) => [...ports].map((port) => `${host}:${String(port)}`)),
  );
});
