import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Ssh } from "../../../clients/ssh/ssh.js";
import { describeReal } from "../../support/environment.js";
import { freePort } from "../../support/free-port.js";
import { refusal } from "../../support/refusal.js";
import { startSshd, type ClientOptions, type Sshd } from "../../support/sshd.js";

const TOKENS = { CONSUL_HTTP_TOKEN: "s3cret", CONSUL_HTTP_AUTH: "s3cret", NOMAD_TOKEN: "s3cret" };

describe("The command line of ssh", () => {
  const ssh = new Ssh({ env: { ROLLOUT_SSH_CONFIG: "", ...TOKENS, PATH: "/bin" } });

  test("asks nothing, trusts no unknown host, and quotes each word for the remote shell", () => {
    expect(ssh.command("admin@10.0.0.7", ["echo", "it's", "$(id)"]).args).toEqual([
      "-oBatchMode=yes",
      "-oStrictHostKeyChecking=yes",
      "-oConnectTimeout=15",
      "-oServerAliveInterval=5",
      "-oServerAliveCountMax=3",
      "-oLogLevel=ERROR",
      "-oControlMaster=no",
      "-oClearAllForwardings=yes",
      "-oRemoteCommand=none",
      "-oForwardAgent=no",
      "-T",
      "--",
      "admin@10.0.0.7",
      String.raw`'echo' 'it'\''s' '$(id)'`,
    ]);
  });

  test("names a configuration where the environment does", () => {
    const { args } = new Ssh({ env: { ROLLOUT_SSH_CONFIG: "a b" } }).command("machine", ["true"]);
    expect(args.slice(0, 2)).toEqual(["-F", "a b"]);
  });

  test("goes with an environment that holds no token of an agent", () => {
    const { env } = ssh.command("machine", ["true"]);
    expect(env).toMatchObject({ PATH: "/bin", LC_ALL: "C" });
    expect(JSON.stringify(env)).not.toContain("s3cret");
  });

  test("refuses a destination that could be an option", () => {
    expect(() => ssh.command("-oProxyCommand=id", ["true"])).toThrow(
      'no ssh destination: "-oProxyCommand=id"; a host name, an address or a machine\'s id is one, with or without a user before it, such as admin@10.0.0.7',
    );
  });
});

describeReal("ssh and a real sshd", ["sshd"], () => {
  let sshd: Sshd;
  const client = async (options?: ClientOptions): Promise<Ssh> => new Ssh({ env: await sshd.env(options) });

  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  test("a command gets its words and its input as they are, and says how it ended", async () => {
    const words = ["", "a b", "it's", '"', "$(id)", "`id`", "\\", "a\nb", "*", "-n", "é€", "!x", "#", "~"];
    const ssh = await client();
    const print = ["sh", "-c", 'printf "%s|" "$@"; cat; exit 7', "sh", ...words];
    const input = "line 1\r\n\ttab 'quotes' \"double\" $(id) `id` \\ é€\n\n";
    expect(await ssh.run("machine", print, { input })).toEqual({
      stdout: `${words.join("|")}|${input}`,
      stderr: "",
      exitCode: 7,
    });
  });

  test("a machine whose key an authority has signed needs no line of its own", async () => {
    const ssh = await client({ knownHost: "authority" });
    expect(await ssh.run("machine", ["echo", "in"])).toMatchObject({ stdout: "in\n" });
  });

  test("what ssh_config says for people who log in does not hinder", async () => {
    const forPeople = [
      "RemoteCommand exit 3",
      "RequestTTY force",
      "LogLevel QUIET",
      "LocalForward 1 127.0.0.1:1",
    ];
    const master = ["ControlMaster auto", "ControlPersist 600", `ControlPath ${sshd.folder}/%C`];
    const options = { lines: [...forPeople, ...master] };
    expect(await (await client(options)).run("machine", ["echo", "in"])).toMatchObject({ stdout: "in\n" });
    const unknown = (await client({ ...options, knownHost: "nothing" })).run("machine", ["true"]);
    expect(await refusal(unknown)).toMatchObject({ kind: "host-key-unknown" });
  });

  test("what a shell says about its input is not told", async () => {
    const ssh = await client();
    const { stderr } = await ssh.run("machine", ["sh", "-c", "cat >&2"], { input: "token-1234567" });
    expect(stderr).toBe("(input)");
  });

  test("refuses a machine whose host key is not known", async () => {
    const ssh = await client({ knownHost: "nothing" });
    expect(await refusal(ssh.run("machine", ["true"]))).toEqual({
      kind: "host-key-unknown",
      message:
        "unknown host key: machine; nothing was sent; compare the key's fingerprint with the machine's own (its console output shows it at the first boot) and put the key into known_hosts, or sign the keys of your machines and name the authority there once, by a line @cert-authority",
    });
  });

  test("refuses a machine whose host key has changed", async () => {
    const ssh = await client({ knownHost: "another key" });
    expect(await refusal(ssh.run("machine", ["true"]))).toEqual({
      kind: "host-key-changed",
      message:
        "another host key than before: machine; nothing was sent: either the machine was replaced and its old line in known_hosts must go (ssh-keygen -R), or somebody else answers; compare the key's fingerprint with the machine's own (its console output shows it at the first boot) and put the key into known_hosts, or sign the keys of your machines and name the authority there once, by a line @cert-authority",
    });
  });

  test("refuses to go on with a key that the machine does not let in", async () => {
    const ssh = await client({ rightKey: false });
    const { kind, message } = await refusal(ssh.run("machine", ["true"]));
    expect(kind).toBe("permission-denied");
    expect(message.replace(/\S+@127.0.0.1/, "USER")).toBe(
      "ssh is not let in: machine: USER: Permission denied (publickey); load the right key into ssh-agent, or name user and key in ssh_config",
    );
  });

  test("refuses to go on where nothing listens", async () => {
    const port = await freePort();
    const ssh = await client({ port });
    expect(await refusal(ssh.run("machine", ["true"]))).toEqual({
      kind: "unreachable",
      message: `cannot be reached by ssh: machine: ssh: connect to host 127.0.0.1 port ${String(port)}: Connection refused; see that the machine runs and that ssh machine works from here (ssh_config applies: ProxyJump, ProxyCommand)`,
    });
  });

  test("refuses to go on without the program on the machine", async () => {
    const ssh = await client();
    expect(await refusal(ssh.run("machine", ["no-such-program", "secret"]))).toEqual({
      kind: "program-missing",
      message: "no such program on the machine: no-such-program at machine; the image must bring it",
    });
  });

  test("refuses to go on without ssh", async () => {
    const ssh = new Ssh({ env: { ...(await sshd.env()), PATH: "/nowhere" } });
    expect(await refusal(ssh.run("machine", ["true"]))).toEqual({
      kind: "program-missing",
      message: "ssh is not installed: looked for ssh on the PATH; install OpenSSH's client",
    });
  });

  test("ends a command that does not end in time", async () => {
    const ssh = await client();
    const input = new PassThrough();
    expect(await refusal(ssh.run("machine", ["cat"], { input, timeoutMs: 500 }))).toEqual({
      kind: "timeout",
      message:
        "did not end in time: a command on machine, after 0.5 s; run it again, and look at the machine if it stays so",
    });
  });

  test("ends a command when it is told to", async () => {
    const ssh = await client();
    const signal = AbortSignal.abort();
    expect(await refusal(ssh.run("machine", ["true"], { signal }))).toEqual({
      kind: "cancelled",
      message: "ended before it was done: ssh machine",
    });
  });
});
