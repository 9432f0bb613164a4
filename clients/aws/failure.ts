import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import { withoutSecrets } from "../terraform/error.js";

/** As far as errors of the SDK are alike. */
const errorSchema = z.object({
  name: z.string().default(""),
  code: z.string().optional().catch(undefined),
  message: z.string().default(""),
});

/**
 * What AWS did not do, or could not be asked, from an error of the SDK.
 * @param action as a policy names it, `ec2:DescribeInstances`
 */
export function awsFailure(error: unknown, action: string): UserError {
  const { name, code = name, message } = errorSchema.safeParse(error).data ?? { name: "", message: "" };
  const said = withoutSecrets(brief(message || code || "no reason was given"), process.env);
  const about = (what: string, remedy: string): UserError =>
    new UserError(`${what}: ${action}: ${said}; ${remedy}`);

  if (/CredentialsProviderError|TokenProviderError/.test(name)) {
    return about(
      "no credentials for AWS",
      "give them as Terraform gets them: environment, profile (AWS_PROFILE), SSO or the machine's role",
    );
  }
  if (REFUSED_CREDENTIALS.test(name)) return about("AWS does not take the credentials", "renew them");
  if (/^(AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(name))
    return about("AWS does not allow it", `allow ${action} to who runs this`);
  if (/^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)/.test(name))
    return about("AWS throttles", "run it again later");
  if (/NotFound(Exception)?$/.test(name))
    return about("AWS does not have it", "correct the name, the region or the account");
  if (/^Region (is missing|not accepted)/.test(message))
    return about("no region", "set AWS_REGION, or name it in the spec");
  if (NO_ANSWER.test(`${code} ${message}`))
    return about("AWS does not answer", "check the network, the region and AWS_ENDPOINT_URL");
  return about(`AWS answered ${name || "with an error"}`, "see what it says");
}

const REFUSED_CREDENTIALS =
  /^(AuthFailure|ExpiredToken|RequestExpired|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient)/;

const NO_ANSWER =
  /\b(TimeoutError|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)\b/;

/** One line; a refusal of EC2 carries an encoded message of a thousand letters. */
const brief = (text: string): string =>
  text
    .replace(/\s*Encoded authorization failure message:.*/is, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 300);
