import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Scratch } from "../support/scratch.js";

const script = (name: string): string => new URL(`../../docs/ready-checks/${name}`, import.meta.url).pathname;
const rejected = (output: string) => ({ exitCode: 1, output });

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.create();
});
afterEach(async () => {
  await scratch.remove();
});

/** A program that prints a text, by the words that it is called with. */
async function program(name: string, answers: Readonly<Record<string, string>>, exitCode = 0): Promise<void> {
  const cases = Object.entries(answers).map(([words, said]) => `*'${words}'*) cat << 'T'\n${said}\nT\n;;`);
  await scratch.program(name, `case "$*" in\n${cases.join("\n")}\nesac\nexit ${String(exitCode)}`);
}

describe("the check for etcd", () => {
  // What etcdctl 3.4.23 printed.
  const status = `http://10.0.1.7:2379, 2f274ef7331b9c92, 3.4.23, 20 kB, false, false, 2, 11, 11, 
http://10.0.2.7:2379, aa8bfa5f836464fd, 3.4.23, 20 kB, true, false, 2, 11, 11, 
http://10.0.0.7:2379, b5179d13d0285315, 3.4.23, 20 kB, false, false, 2, 11, 11, `;
  const hashes =
    "http://10.0.1.7:2379, 1090769097\nhttp://10.0.2.7:2379, 1090769097\nhttp://10.0.0.7:2379, 1090769097";
  const check = async (said = status, hashed = hashes) => {
    await program("etcdctl", {
      "endpoint status --cluster": said,
      "get rollout-check -w fields": '"ClusterID" : 668190978917431569\n"Revision" : 4\n"RaftTerm" : 2',
      "endpoint hashkv --cluster --rev 4": hashed,
    });
    return scratch.run(script("etcd"), ["http://10.0.0.7:2379", "3"]);
  };

  test("passes when all members have the same history", async () => {
    expect(await check()).toEqual({ exitCode: 0, output: "ready: 3 members hold the same at revision 4" });
  });

  test("rejects a member that is missing, behind, a learner or in trouble, and one without a leader", async () => {
    const [, second = "", third = ""] = status.split("\n");
    expect(await check(`${second}\n${third}`)).toEqual(rejected("2 members answer, 3 are expected"));
    expect(
      await check(status.replaceAll("11, 11, ", "9011, 9011, ").replace("9011, 9011", "9011, 11")),
    ).toEqual(rejected("http://10.0.1.7:2379 is 9000 entries behind, at most 1000"));
    expect(await check(status.replace("false, false", "false, true"))).toEqual(
      rejected("http://10.0.1.7:2379 is a learner: it does not vote yet"),
    );
    expect(await check(status.replace("11, 11, ", "11, 11, memberID:1 alarm:NOSPACE"))).toEqual(
      rejected("http://10.0.1.7:2379 says memberID:1 alarm:NOSPACE"),
    );
    expect(await check(status.replace("true", "false"))).toEqual(rejected("0 members say that they lead"));
  });

  test("rejects members whose history differs", async () => {
    expect(await check(status, hashes.replace("1090769097", "403121789"))).toEqual(
      rejected(
        "members hold different histories at revision 4: http://10.0.1.7:2379, 403121789 http://10.0.2.7:2379, 1090769097 http://10.0.0.7:2379, 1090769097 ",
      ),
    );
  });

  test("rejects a member that does not answer with etcdctl's own reason", async () => {
    const said = `{"level":"warn","msg":"retrying of unary invoker failed"}
Failed to get the status of endpoint http://10.0.2.7:2379 (context deadline exceeded)
http://10.0.1.7:2379, 2f274ef7331b9c92, 3.4.23, 20 kB, false, false, 3, 12, 12, `;
    await program("etcdctl", { status: said }, 1);
    expect(await scratch.run(script("etcd"), ["http://10.0.0.7:2379", "3"])).toEqual(
      rejected(
        "etcdctl endpoint status failed: Failed to get the status of endpoint http://10.0.2.7:2379 (context deadline exceeded)",
      ),
    );
  });
});

describe("the check for PostgreSQL", () => {
  const check = async (said: string, exitCode = 0) => {
    await program("psql", { "target_session_attrs=read-write": said }, exitCode);
    return scratch.run(script("postgresql"), ["host=10.0.0.7,10.0.1.7 user=rollout_check", "1"]);
  };
  const standby = "walreceiver 10.0.1.7 streaming 0 bytes behind";

  test("passes when as many standbys as are wanted hold what the primary has", async () => {
    expect(await check(`1 ${standby}`)).toEqual({ exitCode: 0, output: `ready: ${standby}` });
  });

  test("rejects fewer", async () => {
    expect(await check("0 none is connected")).toEqual(
      rejected("0 of 1 standbys hold what the primary has: none is connected"),
    );
  });

  test("rejects a primary that cannot be asked with psql's own reason", async () => {
    expect(
      await check(
        'psql: error: connection to server at "10.0.0.7", port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?',
        2,
      ),
    ).toEqual(
      rejected(
        'psql failed: psql: error: connection to server at "10.0.0.7", port 5432 failed: Connection refused',
      ),
    );
  });
});

describe("the check for Elasticsearch", () => {
  const green =
    '{"status":"green","number_of_nodes":6,"relocating_shards":0,"initializing_shards":0,"unassigned_shards":0}';
  const check = async (health = green, indices = "orders 1", ...accepted: string[]) => {
    await program("curl", { "/_cluster/health": health, "/_cat/indices": indices });
    return scratch.run(script("elasticsearch"), ["https://10.0.0.7:9200", "6", ...accepted]);
  };

  test("passes when the cluster is green, whole and still, and every index has a replica", async () => {
    expect(await check()).toEqual({ exitCode: 0, output: `ready: ${green}` });
    expect((await check(green, "orders 1\nscratch 0", "scratch,other")).exitCode).toBe(0);
  });

  test("rejects yellow, shards that move, too few nodes, and an index without a replica", async () => {
    const yellow = green.replace("green", "yellow");
    expect(await check(yellow)).toEqual(rejected(`not green: ${yellow}`));
    const moving = green.replace('relocating_shards":0', 'relocating_shards":2');
    expect(await check(moving)).toEqual(rejected(`shards move: ${moving}`));
    expect(await check(green.replace("6", "5"))).toEqual(rejected("5 nodes, 6 are expected"));
    expect(await check(green, "orders 1\nscratch 0\nold 0")).toEqual(
      rejected("without a replica: old,scratch"),
    );
  });

  test("rejects a cluster that cannot be asked with curl's own reason", async () => {
    await scratch.program("curl", "echo 'curl: (22) The requested URL returned error: 401' >&2; exit 22");
    const { output } = await scratch.run(script("elasticsearch"), ["https://10.0.0.7:9200", "6"]);
    expect(output).toMatch(/^https:\/\/10\.0\.0\.7:9200\/_cluster\/health.* failed: curl: \(22\) .* 401$/);
  });
});
