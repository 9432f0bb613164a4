/** Credentials, and an endpoint of one's own, come from where all of AWS's tools take them: environment, profile, SSO, role. */
export interface AwsSettings {
  /** @default as AWS's own environment says */
  readonly region?: string;
  /** How often a request is sent when AWS throttles it or fails; what is asked here only reads. @default 5 */
  readonly maxAttempts?: number;
}

/** What every client of AWS is made with. */
export function clientSettings({ region, maxAttempts = 5 }: AwsSettings) {
  // Which Node later versions of the SDK want is no news for somebody who reads a hook's output: the version is pinned.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  return {
    ...(region === undefined ? {} : { region }),
    maxAttempts,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
  };
}
