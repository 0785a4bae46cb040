import type { Runtime } from "node:inspector";
import { theInspector } from "../scopes/inspect.ts";

/** Whether V8 finds that evaluating an expression changes nothing. It stops before something would be changed. */
export function changesNothing(expression: string, variables: ReadonlyMap<string, unknown>): boolean {
  const inspector = theInspector();
  const values = Object.fromEntries(variables);
  try {
    const { exceptionDetails } = inspector.post<Runtime.CallFunctionOnReturnType>("Runtime.callFunctionOn", {
      objectId: inspector.handle(values),
      functionDeclaration: `function(){"use strict";const {${Object.keys(values).join(",")}}=this;return(${expression})}`,
      objectGroup: "kitchensink",
      silent: true,
      throwOnSideEffect: true,
    });
    return exceptionDetails === undefined;
  } finally {
    inspector.release();
  }
}
