import type { Target } from "../support/target.ts";
import { clientTargets } from "./client.ts";
import { codecTargets } from "./codecs.ts";
import { frameTargets } from "./frames.ts";
import { messageTargets } from "./messages.ts";
import { nodeTargets } from "./node.ts";
import { requestTargets } from "./requests.ts";
import { storeTargets } from "./store.ts";

/** Every parser of bytes that come from outside. */
export const PARSERS: readonly Target[] = [
  ...messageTargets,
  ...frameTargets,
  ...requestTargets,
  ...clientTargets,
  ...codecTargets,
  ...storeTargets,
];

/** Those, and whole nodes. */
export const TARGETS: readonly Target[] = [...PARSERS, ...nodeTargets];
