import type { LocalExecProvisioner } from "cdktf";
import { MARK_ENVIRONMENT, MARK_REFERENCE } from "../cluster/hooks/variables.js";
import type { HookDeclaration } from "./platform.js";

/** The provisioners of a hook: one when it is created, one when it is destroyed. */
export function localExec(
  hook: Pick<HookDeclaration, "onCreate" | "onDestroy" | "environment">,
): LocalExecProvisioner[] {
  return [
    ...(hook.onCreate === undefined
      ? []
      : [
          {
            type: "local-exec",
            command: hook.onCreate,
            environment: { ...hook.environment, [MARK_ENVIRONMENT]: MARK_REFERENCE },
          } as const,
        ]),
    ...(hook.onDestroy === undefined
      ? []
      : [{ type: "local-exec", when: "destroy", command: hook.onDestroy } as const]),
  ];
}
