import { expect, test } from "@jest/globals";
import { deployedFromSpec } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { formatHookFile, parseHookFile } from "../../cluster/hooks/hook-file.js";
import { groupsOf } from "../../cluster/groups.js";
import { differingGroups } from "../../cluster/machine-settings.js";
import { describePending, pendingGroups } from "../../cluster/pending.js";
import { templateHash } from "../../cluster/template-hash.js";
import { groupUserData } from "../../cluster/user-data.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { change, exampleSpec, groupIn, nothing, poolOf } from "../support/fixtures.js";
import { errorOf, exampleWith, refusal, specOf } from "./yaml/example.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The example, with lines in its pool broker. */
const text = (...lines: readonly string[]): string =>
  exampleWith([
    "    hosts: [3, 3, 3]",
    ["    hosts: [3, 3, 3]", ...lines.map((line) => `    ${line}`)].join("\n"),
  ]);

const ALL = [
  "instanceProfiles: [null, brokers, null]",
  "securityGroupIds: [[], [sg-0b2, sg-0a1], []]",
  "tags: [{}, { team: data, cost: '12' }, {}]",
  "userData: [null, own.sh, null]",
];
const OWN = "#!/bin/sh\necho $HOME\n";
const read = (of: string) => (): Uint8Array => bytes(of);
const all = (own = OWN): Spec => withUserData(specOf(text(...ALL)), "cluster.yaml", read(own));

const hashes = (spec: Spec): Record<string, string> =>
  Object.fromEntries(groupsOf(spec).map(({ name, hash }) => [name, hash]));

test("what one group has of its own changes its hash alone, each key by itself", () => {
  const plain = hashes(exampleSpec());
  for (const line of ALL) {
    const spec = withUserData(specOf(text(line)), "cluster.yaml", read(OWN));
    const { "broker-1": own, ...others } = hashes(spec);
    const { "broker-1": was, ...same } = plain;
    expect([own === was, others]).toEqual([false, same]);
  }
});

test("what says nothing counts for nothing, nor does an order, an id that stands there twice, or the name of a file", () => {
  const nothings = [
    "instanceProfiles: [null, null, null]",
    "securityGroupIds: [[], [], []]",
    "tags: [{}, {}, {}]",
    "userData: [null, null, null]",
  ];
  expect(hashes(specOf(text(...nothings)))).toEqual(hashes(exampleSpec()));
  const other = [
    "securityGroupIds: [[], [sg-0a1, sg-0b2, sg-0a1], []]",
    "tags: [{}, { cost: '12', team: data }, {}]",
  ];
  const spec = specOf(text(ALL[0] ?? "", ...other, "userData: [null, renamed.sh, null]"));
  expect(hashes(withUserData(spec, "cluster.yaml", read(OWN)))).toEqual(hashes(all()));
});

test("what all machines have anyway is a group's own, too, where it is written there", () => {
  const plain = exampleSpec();
  expect(plain.platform === "aws" && plain.aws.instanceProfile).toBe("demo-agents");
  const { "broker-1": own, ...others } = hashes(specOf(text("instanceProfiles: [null, demo-agents, null]")));
  const { "broker-1": was, ...same } = hashes(plain);
  expect([own === was, others]).toEqual([false, same]);
});

test("a file counts by its text", () => {
  expect(hashes(all(`${OWN}#`))["broker-1"]).not.toBe(hashes(all())["broker-1"]);
});

test("these hashes belong to these values for ever", () => {
  const template = { image: "ami-0aaa", instanceType: "t3.small", generation: 0 };
  expect([
    templateHash({ ...template, instanceProfile: "brokers" }),
    templateHash({ ...template, securityGroupIds: ["sg-0a1"] }),
    templateHash({ ...template, tags: { team: "data" } }),
    templateHash({ ...template, userData: { file: "own.sh", sha256: "0a" } }),
  ]).toMatchInlineSnapshot(`
   [
     "06a35f47c5",
     "312694a875",
     "0db8c75756",
     "38fbfb4e3b",
   ]
  `);
});

test("a group whose settings change is pending, and all of it is said", () => {
  const standing = deployedFromSpec(exampleSpec(), "HEAD", new Set());
  const [group, ...others] = pendingGroups(all(), standing);
  expect([group?.name, others]).toEqual(["broker-1", []]);
  expect(group && describePending(group, groupIn(standing, "broker-1"))).toMatchInlineSnapshot(
    `"instanceProfile none -> brokers, securityGroupIds none -> sg-0a1 sg-0b2, tags none -> cost=12 team=data, userData none -> own.sh (2bd2401)"`,
  );
  const back = findGroup(exampleSpec(), "broker-1");
  const own = deployedFromSpec(all(), "HEAD", new Set());
  expect(describePending(back, groupIn(own, "broker-1"))).toMatchInlineSnapshot(
    `"instanceProfile brokers -> none, securityGroupIds sg-0a1 sg-0b2 -> none, tags cost=12 team=data -> none, userData own.sh (2bd2401) -> none"`,
  );
});

test("what a group has of its own is no value of the cluster that has not reached it", () => {
  const own = deployedFromSpec(all(), "HEAD", new Set());
  const standing = deployedFromSpec(exampleSpec(), "HEAD", new Set());
  expect(differingGroups(all(), own)).toEqual([]);
  expect(differingGroups(all(), standing)).toEqual([]);
  expect(differingGroups(exampleSpec(), own)).toEqual([]);
  const other = change(all(), (edited) => {
    if (edited.platform === "aws") edited.aws.instanceProfile = "others";
  });
  const reached = differingGroups(other, own).map(({ group, keys }) => [group, ...keys]);
  expect(reached).toContainEqual(["broker-0", "instanceProfile"]);
  expect(reached.flat()).not.toContain("broker-1");
});

test("user data of one's own comes with this program's in parts of which ours is the last", () => {
  const spec = all();
  expect(groupUserData(spec, findGroup(spec, "broker-1"), "broker-1-0")).toMatchInlineSnapshot(`
   "MIME-Version: 1.0
   Content-Type: multipart/mixed; boundary="rollout-58da80d144"

   --rollout-58da80d144
   Content-Type: text/plain; charset="us-ascii"

   #!/bin/sh
   echo $HOME

   --rollout-58da80d144
   Content-Type: text/cloud-config; charset="us-ascii"
   Merge-Type: list(append)+dict(no_replace,recurse_list)+str()

   #cloud-config
   # rollout-template-hash: 58da80d144
   write_files:
     - path: /etc/rollout/machine.env
       permissions: "0644"
       content: |
         ROLLOUT_CLUSTER=demo
         ROLLOUT_POOL=broker
         ROLLOUT_GROUP=broker-1
         ROLLOUT_HOST=broker-1-0
         ROLLOUT_IMAGE=ami-0aaa
         ROLLOUT_TEMPLATE_HASH=58da80d144

   --rollout-58da80d144--
   "
  `);
  expect(groupUserData(spec, findGroup(spec, "broker-0"), "broker-0-0")).toMatch(/^#cloud-config\n/);
});

test("hooks know the spec with the texts of its files, and other specs as ever", () => {
  const source = { spec: all(), deployed: nothing(), specFolder: "../.." };
  expect(hashes(parseHookFile(formatHookFile(source)).spec)).toEqual(hashes(all()));
  expect(formatHookFile({ ...source, spec: exampleSpec() })).not.toContain("userData");
});

test("refuses values that AWS would not take, or that are not one for each group", () => {
  expect(
    refusal(
      text(
        "instanceProfiles: [arn:aws:iam::1:instance-profile/x, null, null]",
        "securityGroupIds: [sg-0a1, [sg_1], []]",
        `tags: [{ aws:x: a, Name: b, name: b, rollout:pool: c, 'q"': d }, { a: 1 }, {${Array.from({ length: 46 }, (_, n) => `t${String(n)}: a`).join(", ")}}]`,
        "userData: [/etc/x, a b, null]",
      ),
    ),
  ).toMatchInlineSnapshot(`
   "cluster.yaml:27: pools.broker.instanceProfiles[0]: got "arn:aws:iam::1:instance-profile/x"; expected the name of an instance profile, without its path
   cluster.yaml:28: pools.broker.securityGroupIds[0]: got "sg-0a1"; expected a list of ids of security groups, such as [sg-0a1]
   cluster.yaml:28: pools.broker.securityGroupIds[1][0]: got "sg_1"; expected the id of a security group, such as sg-0a1
   cluster.yaml:29: pools.broker.tags[0].Name: got a tag that AWS or this program sets itself; expected another name
   cluster.yaml:29: pools.broker.tags[0]["aws:x"]: got a tag that AWS or this program sets itself; expected another name
   cluster.yaml:29: pools.broker.tags[0]["q\\""]: got "q\\""; expected 1 to 128 letters, digits, spaces and any of _.:/=+-@
   cluster.yaml:29: pools.broker.tags[0]["rollout:pool"]: got a tag that AWS or this program sets itself; expected another name
   cluster.yaml:29: pools.broker.tags[1].a: got 1; expected a text of at most 256 letters, digits, spaces and any of _.:/=+-@, such as "1234"
   cluster.yaml:29: pools.broker.tags[2]: got 46 tags; expected at most 45, since AWS allows 50 and five are this program's
   cluster.yaml:30: pools.broker.userData[0]: got "/etc/x"; expected the path of a file from this one's folder, such as user-data/broker-1.sh
   cluster.yaml:30: pools.broker.userData[1]: got "a b"; expected the path of a file from this one's folder, such as user-data/broker-1.sh"
  `);
  expect(refusal(text("tags: { team: data }", "userData: own.sh"))).toMatchInlineSnapshot(`
   "cluster.yaml:27: pools.broker.tags: got {"team":"data"}; expected an array of exactly three, one map for each of the groups 0, 1 and 2; a single value would change three groups at once
   cluster.yaml:28: pools.broker.userData: got "own.sh"; expected an array of exactly three, one path or null for each of the groups 0, 1 and 2; a single value would change three groups at once"
  `);
});

test("refuses files that are not there, no text, of no kind that cloud-init knows, and too large, each at its place", () => {
  const spec = specOf(text("userData: [a.sh, b.sh, a.sh]"));
  const found = (of: Readonly<Record<string, Uint8Array | string>>) =>
    errorOf(() => withUserData(spec, "cluster.yaml", (file) => of[file] ?? bytes(OWN)));
  expect(
    [
      found({ "a.sh": "cannot read a.sh: there is no such file" }),
      found({ "a.sh": new Uint8Array([35, 33, 10, 0, 1]), "b.sh": bytes("#!/bin/sh\n# ü\n") }),
      found({ "a.sh": bytes("echo\n#!/bin/sh\n"), "b.sh": bytes("#cloud-config-archive\n") }),
      found({ "b.sh": bytes(`#!/bin/sh\n${"#".repeat(16_384)}`) }),
      found({ "b.sh": bytes("#!/bin/sh\r\ntrue\r\n") }),
      found({ "b.sh": bytes("#cloud-config\r\nruncmd: [x]\r\n") }),
    ].join("\n\n"),
  ).toMatchInlineSnapshot(`
   "cluster.yaml: pools.broker.userData[0]: cannot read a.sh: there is no such file
   cluster.yaml: pools.broker.userData[2]: cannot read a.sh: there is no such file

   cluster.yaml: pools.broker.userData[0]: got a byte that is no ASCII text in line 2; expected a script or cloud-config in ASCII
   cluster.yaml: pools.broker.userData[1]: got a byte that is no ASCII text in line 2; expected a script or cloud-config in ASCII
   cluster.yaml: pools.broker.userData[2]: got a byte that is no ASCII text in line 2; expected a script or cloud-config in ASCII

   cluster.yaml: pools.broker.userData[0]: got a file that begins with neither #! nor #cloud-config; expected one of them as its first line, by which cloud-init tells what it is
   cluster.yaml: pools.broker.userData[1]: got a file that begins with neither #! nor #cloud-config; expected one of them as its first line, by which cloud-init tells what it is
   cluster.yaml: pools.broker.userData[2]: got a file that begins with neither #! nor #cloud-config; expected one of them as its first line, by which cloud-init tells what it is

   cluster.yaml: pools.broker.userData[1]: b.sh makes 17021 bytes of user data with what this program writes; expected at most 16384, so let it fetch the rest

   cluster.yaml: pools.broker.userData[1]: got a file whose lines end with CR LF; expected LF alone, or a script finds no interpreter, and another checkout has another text; .gitattributes keeps it so: *.sh text eol=lf

   cluster.yaml: pools.broker.userData[1]: got a file whose lines end with CR LF; expected LF alone, or a script finds no interpreter, and another checkout has another text; .gitattributes keeps it so: *.sh text eol=lf"
  `);
  const fits = bytes(`#!/bin/sh\n${"#".repeat(16_384 - 900)}`);
  expect(withUserData(spec, "cluster.yaml", () => fits).userData).toHaveProperty(["b.sh"]);
});

test("refuses to make machines of a spec whose files nobody has read", () => {
  expect(errorOf(() => groupsOf(specOf(text("userData: [a.sh, null, null]"))))).toBe(
    "a.sh was not read, since the spec was edited at this very moment; run this again",
  );
  expect(poolOf(exampleSpec(), "broker")).not.toHaveProperty("userData");
});
