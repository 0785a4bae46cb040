import { theInspector } from "../scopes/inspect.ts";
import type { Walk } from "./walk.ts";
import type { Node } from "../wire/wire.ts";

/** Only the inspector sees behind a Proxy without asking its handler. */
export function encodeProxy(walk: Walk, proxy: object): Node {
  const inspector = theInspector();
  const { named } = inspector.internals(proxy);
  const target = inspector.take(named.get("[[Target]]"));
  const handler = inspector.take(named.get("[[Handler]]"));
  inspector.release();
  if (typeof handler !== "object" || handler === null) {
    walk.refuse("a revoked Proxy has nothing behind it any more", "capture it before it is revoked");
  }
  return ["proxy", walk.slot(target, "(target of the Proxy)"), walk.slot(handler, "(handler of the Proxy)")];
}
