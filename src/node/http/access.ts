import { hostNamesOf, type NodeOptions } from "../options.ts";
import { Guard } from "./guard.ts";
import { Sessions } from "./sessions.ts";

/** Who may call a node, and how browsers come to be among them. */
export interface Access {
  readonly guard: Guard;
  /** `undefined`: the node asks for no token, and so for no login. */
  readonly sessions: Sessions | undefined;
}

export function accessTo(options: NodeOptions): Access {
  const { name, token, log } = options;
  const sessions = token === null ? undefined : new Sessions({ node: name });
  const warn = (message: string): void => log.warn(message);
  return { sessions, guard: new Guard({ token, hostNames: hostNamesOf(options), warn, sessions }) };
}
