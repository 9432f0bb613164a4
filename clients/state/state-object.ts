import { parseAddress, type Member } from "../../cluster/address.js";
import type { State, StateResource } from "./state-format.js";

/** One object that Terraform manages. */
export interface StateObject {
  /** `aws_instance.broker-0-1`, `module.network.aws_subnet.private[0]` */
  readonly address: string;
  readonly type: string;
  readonly name: string;
  /** Where it belongs; absent for a shared part and for whatever else is in the state. */
  readonly member?: Member;
  readonly tainted: boolean;
  /** An old object that is still to be destroyed; the address may have a current one beside it. */
  readonly deposed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The managed objects of a state, in its order. Data sources are not among them. */
export function objectsOf(state: State): StateObject[] {
  return state.resources.filter(({ mode }) => mode === "managed").flatMap(instancesOf);
}

function instancesOf(resource: StateResource): StateObject[] {
  const { module, type, name } = resource;
  const plain = `${type}.${name}`;
  return resource.instances.map(({ index_key: key, status, deposed, attributes }) => {
    const member = module === undefined && key === undefined ? parseAddress(plain) : undefined;
    return {
      address: `${module === undefined ? "" : `${module}.`}${plain}${key === undefined ? "" : `[${JSON.stringify(key)}]`}`,
      type,
      name,
      ...(member ? { member } : {}),
      tainted: status === "tainted",
      deposed: deposed !== undefined && deposed !== "",
      attributes: attributes ?? {},
    };
  });
}
