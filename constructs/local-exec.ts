import type { LocalExecProvisioner } from "cdktf";
import { MARK_ENVIRONMENT, MARK_REFERENCE } from "../cluster/hooks/variables.js";
import type { HookDeclaration } from "./platform.js";

/** The provisioners of a hook: one when it is created, one when it is destroyed. */
export function localExec(hook: HookDeclaration): LocalExecProvisioner[] {
  const { onCreate, onDestroy } = hook;
  const type = "local-exec";
  const environment = { ...hook.environment, [MARK_ENVIRONMENT]: MARK_REFERENCE };
  return [
    ...(onCreate === undefined ? [] : [{ type, command: onCreate, environment } as const]),
    ...(onDestroy === undefined ? [] : [{ type, when: "destroy", command: onDestroy } as const]),
  ];
}
