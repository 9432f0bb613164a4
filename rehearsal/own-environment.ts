import type { Environment } from "../clients/environment.js";

/**
 * Settings that a rehearsal must not have from the person's environment: those of Terraform that lead elsewhere, and above
 * all the addresses and tokens of a real cluster, which its hooks would drain in the place of the rehearsal's.
 */
const FOREIGN =
  /^(TF_(CLI_ARGS|DATA_DIR|LOG|PLUGIN_CACHE_DIR|VAR_|WORKSPACE)|CONSUL_|NOMAD_|ROLLOUT_|AWS_|CLUSTER$|CDKTF_OUTDIR$)/;

/** What takes those settings out of the environment of a child process: each of them as undefined. */
export const withoutForeignSettings = (env: Environment): Readonly<Record<string, undefined>> =>
  Object.fromEntries(
    Object.keys(env)
      .filter((name) => FOREIGN.test(name))
      .map((name) => [name, undefined]),
  );
