import { EC2Client } from "@aws-sdk/client-ec2";

/** SSM's parameters, by the region, the credentials and the signer of EC2's client: the project has no client of SSM's own. */
export class Parameters {
  readonly #client: EC2Client;

  constructor({ config: { region, credentials } }: EC2Client) {
    // One of its own: a client signs all requests for the service that it was first used for.
    this.#client = new EC2Client({ region, credentials });
  }

  async put(Name: string, Value: string, cluster: string): Promise<void> {
    const Tags = [{ Key: "rollout:cluster", Value: cluster }];
    await this.#call("PutParameter", { Name, Value, Type: "SecureString", Tags });
  }

  /** The names of those that have the cluster's tag. */
  async list(cluster: string): Promise<readonly string[]> {
    const found: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = (await this.#call("DescribeParameters", {
        ParameterFilters: [{ Key: "tag:rollout:cluster", Values: [cluster] }],
        ...(NextToken !== undefined && { NextToken }),
      })) as { readonly Parameters: readonly { readonly Name: string }[]; readonly NextToken?: string };
      found.push(...page.Parameters.map(({ Name }) => Name));
      NextToken = page.NextToken;
    } while (NextToken !== undefined && NextToken !== "");
    return found;
  }

  async delete(Name: string): Promise<void> {
    await this.#call("DeleteParameter", { Name });
  }

  async #call(action: string, input: unknown, attempts = 5): Promise<unknown> {
    const region = await this.#client.config.region();
    const url = new URL(process.env["AWS_ENDPOINT_URL"] ?? `https://ssm.${region}.amazonaws.com/`);
    const body = JSON.stringify(input);
    const signer = await this.#client.config.signer({
      name: "sigv4",
      signingName: "ssm",
      signingRegion: region,
      properties: {},
    });
    const request = {
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers: {
        host: url.host,
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonSSM.${action}`,
      },
      body,
    };
    const { headers } = await signer.sign(request);
    const answer = await fetch(url, { method: "POST", headers, body });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    const name = /"__type": ?"(?:[^"]*#)?(\w+)"/.exec(text)?.[1] ?? String(answer.status);
    if (attempts > 1 && (answer.status >= 500 || /Throttl|TooManyUpdates/.test(name))) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return this.#call(action, input, attempts - 1);
    }
    throw Object.assign(new Error(text), { name });
  }
}
