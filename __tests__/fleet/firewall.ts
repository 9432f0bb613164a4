import { DescribeSecurityGroupsCommand, type EC2Client, type Instance } from "@aws-sdk/client-ec2";

/** Security groups as EC2 enforces them at each machine: nobody comes in but as a rule says, and everybody gets out. */
export class Firewall {
  /** The source of each rule that names another group: who is in that group. */
  #members = new Map<string, string[]>();
  #rules = new Map<string, Rule[]>();

  constructor(private readonly ec2: EC2Client) {}

  /** @param instances all that there are */
  async observe(instances: readonly Instance[]): Promise<void> {
    const { SecurityGroups = [] } = await this.ec2.send(new DescribeSecurityGroupsCommand({}));
    this.#members = new Map();
    for (const { PrivateIpAddress, SecurityGroups: own = [], State } of instances) {
      if (PrivateIpAddress === undefined || State?.Name === "terminated") continue;
      for (const { GroupId = "" } of own)
        this.#members.set(GroupId, [...(this.#members.get(GroupId) ?? []), PrivateIpAddress]);
    }
    this.#rules = new Map(
      SecurityGroups.map(({ GroupId = "", IpPermissions = [] }) => [
        GroupId,
        IpPermissions.map(
          ({ IpProtocol = "-1", FromPort, ToPort, IpRanges = [], UserIdGroupPairs = [] }) => ({
            what: IpProtocol === "-1" ? "" : ` ${IpProtocol} dport ${portsOf(FromPort, ToPort)}`,
            ranges: IpRanges.map(({ CidrIp = "" }) => CidrIp),
            groups: UserIdGroupPairs.map(({ GroupId: from = "" }) => from),
          }),
        ),
      ]),
    );
  }

  /** What nft is to load in the network namespace of a machine. A connection that is open stays open. */
  rulesetOf({ SecurityGroups: own = [] }: Instance): string {
    const lines = own
      .flatMap(({ GroupId = "" }) => this.#rules.get(GroupId) ?? [])
      .flatMap(({ what, ranges, groups }) => {
        const from = [...ranges, ...groups.flatMap((group) => this.#members.get(group) ?? [])];
        return from.sort().map((source) => `ip saddr ${source}${what} accept`);
      });
    return [
      "table inet fleet",
      "delete table inet fleet",
      "table inet fleet {",
      "  chain in {",
      "    type filter hook input priority 0; policy drop;",
      "    iif lo accept",
      "    ct state established,related accept",
      ...lines.map((line) => `    ${line}`),
      "  }",
      "}",
      "",
    ].join("\n");
  }
}

/** nft knows no range of one. */
const portsOf = (from = 0, to = from): string =>
  from === to ? String(from) : `${String(from)}-${String(to)}`;

interface Rule {
  /** Protocol and ports, as nft has them; empty for all. */
  readonly what: string;
  readonly ranges: readonly string[];
  readonly groups: readonly string[];
}
