import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { execa } from "execa";
import { parse } from "yaml";
import { formatReviewMarkdown } from "../../cli/output/review-markdown.js";
import { formatReview } from "../../cli/output/review.js";
import { runReview } from "../../cli/review.js";
import { reviewSchema, type Review } from "../../rollout/review/review.js";
import { UserError } from "../../cluster/user-error.js";
import { git } from "../deploy/git.js";
import { readFixtureFiles } from "../guard/plan/plan-fixture.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { allNodes, readMarkdown, textOutsideCode } from "./output/read-markdown.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const before = process.cwd();

jest.setTimeout(60_000);

let folder: string;
let text: string;

/** A repository whose first commit has no spec yet, and whose last has the example. */
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "rollout-review-test-")));
  process.chdir(folder);
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "commit", "--quiet", "--allow-empty", "--message", "Empty");
  write(LOCAL_EXAMPLE);
  await git(folder, "add", ".");
  await git(folder, "commit", "--quiet", "--message", "First");
});

beforeEach(() => {
  write(LOCAL_EXAMPLE);
});

afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe("rollout review", () => {
  test("accepts one group's new image, and the JSON is as its schema says", async () => {
    edit(brokers, "[ami-0aaa, ami-0bbb, ami-0aaa]");
    const told = await review();
    expect(reviewSchema.parse(JSON.parse(JSON.stringify(told)))).toEqual(told);
    expect(told.headline).toBe(
      "accepted, one group changes: broker-1 (ami-0aaa -> ami-0bbb), 3 machines replaced",
    );
    expect(told.frozen).toHaveLength(11);
    expect(told.shared).toEqual([]);
    expect(told.differences.map(({ address }) => address)).toEqual([
      "terraform_data.broker-1-0",
      "terraform_data.broker-1-0-config-consul",
      "terraform_data.broker-1-1",
      "terraform_data.broker-1-1-config-consul",
      "terraform_data.broker-1-2",
      "terraform_data.broker-1-2-config-consul",
      "terraform_data.broker-1-leave",
      "terraform_data.broker-1-ready",
      "terraform_data.broker-1-revision",
    ]);
  });

  test("says that nothing changes", async () => {
    expect(withoutCommits(formatReview(await review()))).toMatchInlineSnapshot(`
     "✔ demo: accepted, no group changes

     POOL           0         1         2
     consul-server  ami-0aaa  ami-0aaa  ami-0aaa
     nomad-server   ami-0aaa  ami-0aaa  ami-0aaa
     name-server    ami-0aaa  ami-0aaa  ami-0aaa
     broker         ami-0aaa  ami-0aaa  ami-0aaa

     frozen: 12 groups stay as they are: consul-server-0 to -2, nomad-server-0 to
       -2, name-server-0 to -2, broker-0 to -2

     compared with: git:main (for a review, not the state)
     base: HASH
     head: HASH"
    `);
  });

  test("shows the changed port of a load balancer, which no group has", async () => {
    edit("port: 9876", "port: 9877");
    const told = await review();
    expect(told.headline).toBe("accepted, 1 shared part differs; 1 setting changes");
    expect(told.differences).toEqual([
      {
        view: "cluster",
        address: "terraform_data.broker-load-balancer",
        lines: ["- input.port = 9876", "+ input.port = 9877"],
      },
    ]);
  });

  test("names the commits, and whether the spec is as the last one has it", async () => {
    const { stdout } = await execa("git", ["rev-parse", "--short=12", "main"], { cwd: folder });
    expect((await review()).commits).toEqual({ base: stdout, head: stdout, isCommitted: true });
    edit("deregistrationDelay: 60s", "deregistrationDelay: 61s");
    expect((await review()).commits).toEqual({ base: stdout, head: stdout, isCommitted: false });
  });

  test("shows what a new pool declares", async () => {
    edit(/(\npools:.*\n)/, "  cache: { images: [a, a, a], instanceTypes: [t, t, t] }\n");
    const told = await review();
    expect(told.headline).toBe("accepted, 3 new groups, 3 machines");
    expect(told.differences.filter(({ address }) => address.includes(".cache-"))).toHaveLength(
      told.differences.length,
    );
    expect(told.differences).toContainEqual({
      view: "cluster",
      address: "terraform_data.cache-0-0",
      lines: [
        '+ input.cluster = "demo"',
        '+ input.image = "a"',
        '+ input.instanceType = "t"',
        expect.stringMatching(/^\+ triggers_replace = /),
      ],
    });
  });

  test("rejects two groups, and explains them one after another where they may queue", async () => {
    edit(brokers, "[ami-0bbb, ami-0bbb, ami-0aaa]");
    const rejected = await review();
    expect(rejected.verdict).toBe("rejected");
    expect(formatReview(rejected).split("\n").slice(0, 9)).toMatchInlineSnapshot(`
     [
       "✖ demo: rejected (one-group), 2 groups would change: broker-0 (ami-0aaa ->",
       "  ami-0bbb), broker-1 (ami-0aaa -> ami-0bbb), 6 machines replaced",
       "",
       "one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb),",
       "  broker-1 (ami-0aaa -> ami-0bbb); set all but one back, or set",
       "  rollout.pendingGroups: queue to roll them one after another",
       "",
       "Synth refuses this, so nothing is deployed as it is. What it asks for:",
       "",
     ]
    `);
    edit("pendingGroups: one", "pendingGroups: queue");
    const queued = await review();
    expect(queued.verdict).toBe("accepted");
    expect(queued.groups.map(({ name }) => name)).toEqual(["broker-0", "broker-1"]);
  });

  test("says the same of a spec whose keys stand in another order", async () => {
    edit(brokers, "[ami-0aaa, ami-0bbb, ami-0aaa]");
    const facts = await review();
    write(JSON.stringify(reversed(parse(text))));
    const turned = await review();
    const pools = (of: Review) => [...of.pools].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect({ ...turned, pools: pools(turned), frozen: [...turned.frozen].sort() }).toEqual({
      ...facts,
      pools: pools(facts),
      frozen: [...facts.frozen].sort(),
    });
  });

  test("reads the state where no base is named, and says that shared parts are not compared", async () => {
    const { spec, state } = readFixtureFiles("roll-consul-server");
    write(spec);
    writeFileSync("terraform.demo.tfstate", state);
    const told = await runReview({ CLUSTER: "cluster.yaml" }, {});
    expect(told).toMatchObject({ verdict: "accepted", shared: null, differences: [] });
    expect(withoutCommits(formatReview(told))).toMatchInlineSnapshot(`
     "✔ demo: accepted, one group changes: consul-server-1 (v1 -> v2), 1 machine
       replaced

     POOL           0   1         2
     consul-server  v1  v1 -> v2  v1
     nomad-server   v1  v1        v1
     broker         v1  v1        v1

     consul-server-1: v1 -> v2
       impact: 1 of 3 machines of consul-server; leadership is handed over first;
         bake 30s
       also replaced: every config_consul in the cluster (10), which tells a
         machine where the Consul servers are, because consul-server-1 is one and
         gets a new address; no other machine is replaced
       1. leave: leadership handed over, out of Consul
       2. 1 old machine destroyed, then 1 new from v2
       3. told of the Consul servers; so are the other 9 machines in the cluster,
         side by side
       4. ready: the group is whole again, or everything stops here
       5. revision 2 recorded, once every machine in the cluster has been told

     not compared: shared parts, such as load balancers, and settings; see: rollout
       plan cluster, rollout review --base REVISION

     frozen: 8 groups stay as they are: consul-server-0, consul-server-2,
       nomad-server-0 to -2, broker-0 to -2

     compared with: terraform.demo.tfstate, serial 62
     head: HASH, with changes that are not committed
     next: npx rollout deploy consul-server-1"
    `);
  });

  test("takes the name of a branch for nothing but text", async () => {
    const branch = "x/@team-#12-<b>`|";
    await git(folder, "branch", branch);
    const markdown = formatReviewMarkdown(await review(branch));
    const read = await readMarkdown(markdown);
    expect(textOutsideCode(read)).not.toMatch(/@team|#12|\|/);
    expect(allNodes(read).filter(({ value }) => value === "<b>")).toEqual([]);
    expect(withoutCommits(markdown).split("\n").at(-2)).toMatchInlineSnapshot(
      `"<sub>compared with: <code>git&#58;x&#47;&#64;team&#45;&#35;12&#45;&#60;b&#62;&#96;&#124;</code> (for a review, not the state) · base: \`HASH\` · head: \`HASH\` · review HASH</sub>"`,
    );
  });

  test("refuses what it cannot review with exit code 2 and one line", async () => {
    const told: Record<string, unknown> = {
      missing: await refusal("main", "nothing.yaml"),
      before: await refusal("main~1"),
      unknown: await refusal("nowhere"),
      option: await refusal("--output=x"),
      empty: await refusal(""),
    };
    renameSync("cluster.yaml", "other.yaml");
    told["renamed"] = await refusal("main", "other.yaml");
    rmSync("other.yaml");
    edit("images: [ami-0aaa", "images: [ami 0aaa");
    told["invalid"] = await refusal("main");
    expect(told).toMatchInlineSnapshot(`
     {
       "before": "not in the revision: cluster.yaml at main~1; name a revision in which the file is committed",
       "empty": "no revision: ""; name a commit, a branch or a tag, such as origin/main",
       "invalid": "cluster.yaml:9: pools.consul-server.images[0]: got "ami 0aaa"; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa",
       "missing": "cannot read nothing.yaml: there is no such file; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
       "option": "no revision: "--output=x"; name a commit, a branch or a tag, such as origin/main",
       "renamed": "not in the revision: other.yaml at main; name a revision in which the file is committed",
       "unknown": "unknown revision: nowhere in the repository of cluster.yaml; correct it, or fetch it first (a shallow clone has only the newest)",
     }
    `);
  });
});

describe("The program's review", () => {
  test("is the same to the byte from any folder, whatever the time, the language and the umask", async () => {
    edit(brokers, "[ami-0bbb, ami-0bbb, ami-0aaa]");
    mkdirSync("elsewhere");
    mkdirSync("tmp");
    const [once, again] = await Promise.all([
      rollout("022", folder, { CLUSTER: "cluster.yaml", TZ: "UTC" }),
      rollout("077", join(folder, "elsewhere"), {
        CLUSTER: "../cluster.yaml",
        TZ: "Pacific/Kiritimati",
        LC_ALL: "tr_TR.UTF-8",
        COLUMNS: "30",
        FORCE_COLOR: "1",
        ROLLOUT_CAUSE: "another",
        CDKTF_OUTDIR: "other.out",
        TMPDIR: join(folder, "tmp"),
      }),
    ]);
    expect([once.exitCode, once.stderr]).toEqual([1, ""]);
    expect([again.exitCode, again.stderr, again.stdout]).toEqual([1, "", once.stdout]);
    expect(`${once.stdout}\n`).toBe(`${formatReviewMarkdown(await review())}\n`);
    expect(once.stdout).not.toMatch(/\d\d:\d\d|\d{4}-\d\d-\d\d/);
    for (const path of [folder, tmpdir(), ROOT, "rollout-review-"]) expect(once.stdout).not.toContain(path);
    expect([readdirSync("tmp"), readdirSync("elsewhere")]).toEqual([[], []]);
  });

  test("ends with 2 and one line where there is nothing to review", async () => {
    const { exitCode, stdout, stderr } = await rollout("022", folder, { CLUSTER: "none.yaml" });
    expect([exitCode, stdout, stderr]).toEqual([
      2,
      "",
      expect.stringMatching(/^cannot read none\.yaml: .*$/),
    ]);
  });
});

const withoutCommits = (text: string): string => text.replace(/\b[0-9a-f]{12}\b/g, "HASH");

/** Where the images of the brokers stand. */
const brokers = /(broker:(?:\n .*)*?\n +images: )\[[^\]]*\]/;

function write(spec: string): void {
  text = spec;
  writeFileSync(join(folder, "cluster.yaml"), spec);
}

/** Replaces a text, or what follows the first group of an expression; one that is not there is a mistake of the test. */
function edit(from: string | RegExp, to: string): void {
  const edited = text.replace(
    from,
    (_, kept: unknown) => (from instanceof RegExp && typeof kept === "string" ? kept : "") + to,
  );
  if (edited === text) throw new Error(`the spec does not contain ${String(from)}`);
  write(edited);
}

const review = (base = "main", CLUSTER = "cluster.yaml"): Promise<Review> => runReview({ CLUSTER }, { base });

/** Why nothing could be reviewed; everything but a user's mistake with exit code 2 is a bug. */
async function refusal(base: string, spec?: string): Promise<string> {
  try {
    await review(base, spec);
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 2) throw error;
    return error.message;
  }
  throw new Error("it was not refused");
}

/** The bundled program, under a umask. */
const rollout = (umask: string, cwd: string, env: Record<string, string>) =>
  execa(
    "/bin/sh",
    [
      "-c",
      `umask ${umask}; exec "$0" "$@"`,
      process.execPath,
      join(ROOT, "dist/bin/rollout.js"),
      ...["review", "--base", "main", "--format", "markdown"],
    ],
    { cwd, env: { NODE_OPTIONS: "", ...env }, reject: false },
  );

/** With the keys of all maps the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
