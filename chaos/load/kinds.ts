// All kinds of calls: one line here, one function in a file of kinds/.
import type { Kind } from "./caller.ts";
import { DATA } from "./kinds/data.ts";
import { ERRORS } from "./kinds/errors.ts";
import { HTTP } from "./kinds/http.ts";
import { INSTANT } from "./kinds/instant.ts";
import { OUTPUT } from "./kinds/output.ts";
import { STOPPED } from "./kinds/stopped.ts";
import { STREAMS } from "./kinds/streams.ts";
import { VALUES } from "./kinds/values.ts";

export const KINDS: readonly Kind[] = [
  ...VALUES,
  ...ERRORS,
  ...STOPPED,
  ...OUTPUT,
  ...STREAMS,
  ...DATA,
  ...HTTP,
  ...INSTANT,
];
