import { describe, expect, test } from "@jest/globals";
import { firstError, withoutSecrets } from "../../../clients/terraform/error.js";

describe("The first error of Terraform", () => {
  test("is told without its box, its colours and its explanation", () => {
    const printed =
      "\u001b[31m╷\u001b[0m\n\u001b[31m│\u001b[0m \u001b[0m\u001b[1m\u001b[31mError: \u001b[0m\u001b[0m\u001b[1mNo valid credential sources found\u001b[0m\n│ \n│ Please see https://developer.hashicorp.com/terraform/language/backend/s3\n╵\n";
    expect(firstError(printed)).toBe("No valid credential sources found");
  });

  test("stands behind a warning about the CLI configuration", () => {
    const printed =
      'There are some problems with the CLI configuration:\n╷\n│ Warning: Unable to open CLI configuration file\n│ \n│ It does not exist.\n╵\n\n\nError: Failed to get existing workspaces: S3 bucket "demo" does not exist.\n\nThe referenced S3 bucket must have been previously created.\n';
    expect(firstError(printed)).toBe('Failed to get existing workspaces: S3 bucket "demo" does not exist');
  });

  test("goes on where it announces a list", () => {
    const printed =
      "\u001b[31mFailed to refresh state: 2 problems:\n\n- The state file could not be parsed as JSON.\n- The state file does not have a version.\u001b[0m\n";
    expect(firstError(printed)).toBe(
      "Failed to refresh state: 2 problems: - The state file could not be parsed as JSON. - The state file does not have a version",
    );
  });

  test("is told with its reason where that is asked for, since init names the provider there", () => {
    const printed =
      "╷\n│ Error: Failed to query available provider packages\n│ \n│ Could not retrieve the list of available versions for provider\n│ hashicorp/aws: could not connect to registry.terraform.io: lookup failed\n│ \n│ To see which modules depend on it, run terraform providers\n╵\n";
    expect(firstError(printed, true)).toBe(
      "Failed to query available provider packages: Could not retrieve the list of available versions for provider hashicorp/aws: could not connect to registry.terraform.io: lookup failed",
    );
    expect(firstError(printed)).toBe("Failed to query available provider packages");
    expect(firstError("╷\n│ Error: One\n╵\n\n╷\n│ Error: Two\n╵\n", true)).toBe("One");
  });

  test("names who holds a locked state, and since when", () => {
    const printed =
      "╷\n│ Error: Error acquiring the state lock\n│ \n│ Error message: resource temporarily unavailable\n│ Lock Info:\n│   ID:        1f0e\n│   Path:      ../../terraform.demo.tfstate\n│   Operation: OperationTypeApply\n│   Who:       ana@laptop\n│   Version:   1.11.4\n│   Created:   2026-01-02 03:04:05.678 +0000 UTC\n│   Info:      \n│ \n│ \n│ Terraform acquires a state lock to protect the state from being written\n╵\n";
    expect(firstError(printed)).toBe(
      "Error acquiring the state lock: it is held by ana@laptop since 2026-01-02 03:04:05.678 +0000 UTC (lock 1f0e); wait until that has ended, or where it was killed: terraform -chdir=FOLDER_OF_THE_VIEW force-unlock 1f0e",
    );
  });

  test("is the first thing that was printed where nothing is called an error", () => {
    expect(firstError("sh: no version is set\nfor terraform\n\nsee asdf\n")).toBe(
      "sh: no version is set for terraform",
    );
    expect(firstError("")).toBe("");
  });
});

test("secrets in a message are named and not shown", () => {
  const env = { AWS_SECRET_ACCESS_KEY: "sOmE/SeCrEt", AWS_SESSION_TOKEN: "", AWS_REGION: "eu-west-1" };
  expect(withoutSecrets("key sOmE/SeCrEt in eu-west-1 is wrong", env)).toBe(
    "key (AWS_SECRET_ACCESS_KEY) in eu-west-1 is wrong",
  );
});

test.each(["TLS_PRIVATE_KEY", "SMTP_PASS", "GOOGLE_CREDENTIALS", "CONSUL_HTTP_AUTH"])(
  "the value of %s is secret, too",
  (name) => {
    expect(withoutSecrets("no ops:wOrd here", { [name]: "ops:wOrd" })).toBe(`no (${name}) here`);
  },
);

test("a variable that only begins like a secret is shown", () => {
  expect(withoutSecrets("at /run/agent", { SSH_AUTH_SOCK: "/run/agent" })).toBe("at /run/agent");
});

test("a line of a secret is a secret, and so is one that another begins", () => {
  const env = { TLS_PRIVATE_KEY: "-----BEGIN-----\nMIIEvQ\r\nIBADAN\n" };
  expect(withoutSecrets("line 2: MIIEvQ, line 3: IBADAN", env)).toBe(
    "line 2: (TLS_PRIVATE_KEY), line 3: (TLS_PRIVATE_KEY)",
  );
  expect(withoutSecrets("is secret-long", { A_TOKEN: "secret", B_TOKEN: "secret-long" })).toBe(
    "is (B_TOKEN)",
  );
});
