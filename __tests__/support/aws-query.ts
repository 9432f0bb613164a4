import { parseXml } from "./xml.js";
import type { XmlElement } from "./xml.js";

const apiVersions = { ec2: "2016-11-15", iam: "2010-05-08", elasticloadbalancing: "2015-12-01" } as const;

/** AWS's Query protocol, as far as moto wants it: it reads service and region from the credential and checks no signature. */
export class AwsQuery {
  readonly #url: string;
  readonly #region: string;

  constructor(url: string, region: string) {
    this.#url = url;
    this.#region = region;
  }

  /** @throws what the API answered, when it refuses */
  async call(
    service: keyof typeof apiVersions,
    action: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<XmlElement> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=testing/20200101/${this.#region}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      },
      body: new URLSearchParams({ Action: action, Version: apiVersions[service], ...parameters }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${action} failed with ${String(response.status)}: ${text}`);
    return parseXml(text);
  }
}
