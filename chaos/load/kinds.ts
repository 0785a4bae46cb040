// All kinds of calls: one line here, one function in a file of kinds/.
import type { Kind } from "./caller.ts";
import { VALUES } from "./kinds/values.ts";

export const KINDS: readonly Kind[] = [...VALUES];
