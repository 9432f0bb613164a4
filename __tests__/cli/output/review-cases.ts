import { reviewOf, type Review } from "../../../rollout/review/review.js";
import { deployedFromSpec } from "../../../cluster/deployed.js";
import { specOf } from "../../cluster/yaml/example.js";

interface Size {
  readonly pools: number;
  readonly hosts?: number;
  /** How many of the pools change, all three groups of each. */
  readonly changed?: number;
  readonly image?: string;
}

/** A cluster of client pools beside its servers, some of which get a new image; one resource differs for each host. */
export function bigReview({ pools, hosts = 1, changed = pools, image = "ami-0bbb" }: Size): Review {
  const spec = (count: number) => {
    const images = (is: string): string[] => [is, is, is];
    const servers = { images: images("ami-0aaa"), instanceTypes: images("t3.small") };
    const clients = Array.from({ length: pools }, (_, index) => [
      `pool-${"abcdefghijklmnopqrstuvwxyz".charAt(index % 26)}${String(index)}`,
      { ...servers, images: images(index < count ? image : "ami-0aaa"), hosts: [hosts, hosts, hosts] },
    ]);
    return specOf(
      JSON.stringify({
        name: "demo",
        platform: "local",
        backend: { type: "local", path: "x" },
        pools: {
          "consul-server": servers,
          "nomad-server": servers,
          ...(Object.fromEntries(clients) as object),
        },
      }),
    );
  };
  const [before, after] = [spec(0), spec(changed)];
  const deployed = deployedFromSpec(before, "git:main", new Set());
  const differences = reviewOf({ spec: after, deployed, violations: [] }).groups.flatMap(({ name }) =>
    Array.from({ length: hosts }, (_, host) => ({
      view: name,
      address: `terraform_data.${name}-${String(host)}`,
      lines: ['- input.image = "ami-0aaa"', `+ input.image = "${image}"`, `+ input.n = ${String(host)}`],
    })),
  );
  return reviewOf({ spec: after, deployed, violations: [], differences });
}
