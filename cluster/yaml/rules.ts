import { checkRollout } from "./rollout-rules.js";
import { checkActions, checkBake } from "./gate-rules.js";
import { roleOf } from "../groups.js";
import { takesPerformance } from "../volume-changes.js";
import { DEFAULT_VOLUME_TYPE, VOLUME_TYPES } from "./schema.js";
import { asList, asMap, type Raw } from "../raw.js";
import { formatValue, found, type Finding } from "./problem.js";

/**
 * Checks what a schema cannot say, and returns all findings. It takes the raw value, so that these findings stand
 * beside those of the schema in one answer; what has the wrong shape is passed over here.
 */
export function checkRules(raw: unknown): Finding[] {
  const spec = asMap(raw);
  const pools = Object.entries(asMap(spec["pools"]));
  const onAws = spec["platform"] === "aws";
  return [
    ...pools.flatMap(([pool, value]) => {
      const settings = asMap(value);
      return [
        ...checkPoolName(pool),
        ...checkServers(pool, settings),
        ...checkWorkload(pool, settings),
        ...checkSurge(pool, settings),
        ...checkBake(pool, settings),
        ...checkActions(pool, settings),
        ...checkTags(pool, settings),
        ...(onAws
          ? [
              ...checkImages(pool, settings),
              ...checkVolumes(pool, settings),
              ...checkLoadBalancer(pool, settings, spec["name"]),
            ]
          : []),
      ];
    }),
    ...checkSubnets(asMap(spec["aws"])),
    ...checkRollout(
      asMap(spec["rollout"]),
      pools.map(([pool]) => pool),
    ),
  ];
}

const POOL_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function checkPoolName(pool: string): Finding[] {
  const refuse = (message: string): Finding[] => found(["pools", pool], message);
  if (!POOL_NAME.test(pool)) {
    return refuse(
      `${formatValue(pool)} is no name for a pool; expected lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)`,
    );
  }
  if (/-\d+(-|$)/.test(pool)) {
    return refuse(
      `"${pool}" has a part that is a number, so that its groups could be mistaken for hosts of another pool; expected a name such as ${pool.replace(/-(?=\d+(-|$))/g, "")}`,
    );
  }
  if (pool === "cluster") return refuse(`"cluster" is the name of a view; expected another name`);
  if (pool.length > 40) {
    return refuse(`${formatValue(pool)} has ${String(pool.length)} characters; expected at most 40`);
  }
  return [];
}

/** Load balancers and target groups are called after cluster and pool. */
function checkLoadBalancer(pool: string, settings: Raw, cluster: unknown): Finding[] {
  if (!("loadBalancer" in settings) || typeof cluster !== "string") return [];
  const name = `${cluster}-${pool}`;
  if (name.length <= 32 && !name.startsWith("internal-")) return [];
  return found(
    ["pools", pool, "loadBalancer"],
    `it would be called ${name}, but AWS allows 32 characters and no "internal-" in front; choose another name for the pool or the cluster`,
  );
}

function checkWorkload(pool: string, settings: Raw): Finding[] {
  if (roleOf(pool) !== "client" || settings["workload"] !== "stays" || "dataVolumes" in settings) return [];
  return found(
    ["pools", pool, "workload"],
    `got "stays" in a pool without dataVolumes; expected moves, or dataVolumes for the work to be bound to`,
  );
}

/** An even number tolerates no more failures than one less, and losing a group leaves a majority. */
function checkServers(pool: string, { hosts }: Raw): Finding[] {
  const counts = asList(hosts);
  if (roleOf(pool) === "client" || !counts.every(isCount)) return [];
  const all = counts.reduce((sum, count) => sum + count, 0);
  const isOdd = [3, 5, 7].includes(all);
  if (counts.length !== 3 || (isOdd && Math.max(...counts) < all / 2)) return [];
  return found(
    ["pools", pool, "hosts"],
    `got ${formatValue(hosts)}, ${String(all)} servers${isOdd ? " of which one group has the majority" : ""}; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]`,
  );
}

const isCount = (value: unknown): value is number => typeof value === "number" && [1, 2, 3].includes(value);

/** A new machine beside the old ones can have neither their volumes nor work that is bound to these. */
function checkSurge(pool: string, settings: Raw): Finding[] {
  const { maxSurge, maxUnavailable = maxSurge === undefined ? undefined : 0 } = settings;
  const is = (key: string, message: string): Finding[] => found(["pools", pool, key], message);
  if (maxUnavailable === 0 && (maxSurge ?? 0) === 0)
    return is(
      maxSurge === undefined ? "maxUnavailable" : "maxSurge",
      "got 0 for both maxSurge and maxUnavailable; expected one of them to be 1 or more, or no machine could ever be replaced",
    );
  return roleOf(pool) === "client" &&
    typeof maxSurge === "number" &&
    maxSurge > 0 &&
    "dataVolumes" in settings
    ? is(
        "maxSurge",
        "got it in a pool with dataVolumes; expected maxUnavailable, since a volume is one machine's at a time",
      )
    : [];
}

function checkImages(pool: string, settings: Raw): Finding[] {
  return asList(settings["images"]).flatMap((image, index) =>
    typeof image !== "string" || /^ami-[0-9a-f]+$/.test(image)
      ? []
      : found(
          ["pools", pool, "images", index],
          `got ${formatValue(image)}; expected the id of a machine image, ami- and hexadecimal digits, such as ami-0aaa`,
        ),
  );
}

/** What EC2 says of a volume's size and performance: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html */
function checkVolumes(pool: string, settings: Raw): Finding[] {
  return asList(settings["dataVolumes"]).flatMap((volume, index) => {
    const { sizeGib, type = DEFAULT_VOLUME_TYPE, iops, throughput } = asMap(volume);
    const is = (key: string, message: string): Finding[] =>
      found(["pools", pool, "dataVolumes", index, key], message);
    if (!VOLUME_TYPES.some((each) => each === type)) return [];
    if (!takesPerformance(String(type)))
      return [
        ...["iops", "throughput"].flatMap((key) =>
          key in asMap(volume)
            ? is(key, `got it for a volume of type ${formatValue(type)}; expected type gp3, or no ${key}`)
            : [],
        ),
        ...(type !== "gp2" && typeof sizeGib === "number" && sizeGib < LEAST_GIB_OF_HDD
          ? is(
              "sizeGib",
              `got ${String(sizeGib)} for a volume of type ${formatValue(type)}; expected ${String(LEAST_GIB_OF_HDD)} to 16384, or type gp3 or gp2`,
            )
          : []),
      ];
    const most = typeof iops === "number" ? iops / 4 : LEAST_IOPS / 4;
    return [
      ...(typeof iops === "number" &&
      typeof sizeGib === "number" &&
      iops > Math.max(LEAST_IOPS, sizeGib * 500)
        ? is(
            "iops",
            `got ${String(iops)} for ${String(sizeGib)} GiB; expected at most ${String(Math.max(LEAST_IOPS, sizeGib * 500))}, 500 for each GiB`,
          )
        : []),
      ...(typeof throughput === "number" && throughput > most
        ? is(
            "throughput",
            `got ${String(throughput)} with iops ${String(most * 4)}; expected at most ${String(Math.floor(most))}, a quarter of iops`,
          )
        : []),
    ];
  });
}

/** What st1 and sc1 begin with: https://docs.aws.amazon.com/ebs/latest/userguide/hdd-vols.html */
const LEAST_GIB_OF_HDD = 125;

/** What every gp3 volume has. */
const LEAST_IOPS = 3000;

/** A resource has 50 at most, and each machine has five of this program's. */
const MOST_TAGS = 45;

function checkTags(pool: string, settings: Raw): Finding[] {
  return asList(settings["tags"]).flatMap((tags, index) => {
    const keys = Object.keys(asMap(tags));
    const place = ["pools", pool, "tags", index];
    return [
      ...keys.flatMap((key) => {
        if (/^(aws|rollout):/i.test(key) || key === "Name")
          return found(
            [...place, key],
            "got a tag that AWS or this program sets itself; expected another name",
          );
        return /^[\p{L}\p{N} _.:/=+@-]{1,128}$/u.test(key)
          ? []
          : found(
              [...place, key],
              `got ${formatValue(key)}; expected 1 to 128 letters, digits, spaces and any of _.:/=+-@`,
            );
      }),
      ...(keys.length > MOST_TAGS
        ? found(
            place,
            `got ${String(keys.length)} tags; expected at most ${String(MOST_TAGS)}, since AWS allows 50 and five are this program's`,
          )
        : []),
    ];
  });
}

function checkSubnets(aws: Raw): Finding[] {
  const subnets = asList(aws["subnetIds"]);
  return subnets.flatMap((subnet, index) =>
    subnets.indexOf(subnet) === index
      ? []
      : found(
          ["aws", "subnetIds", index],
          `got ${formatValue(subnet)} a second time; expected one subnet for each group, since groups in one zone go down together`,
        ),
  );
}
