import { randomUUID } from "node:crypto";
import type { Debugger, Runtime } from "node:inspector";
import { theInspector } from "./inspect.ts";

/** Which of the variables around a function: `depth` counts scopes from the outermost. */
export interface VariablePlace {
  readonly name: string;
  readonly depth: number;
}

/** A value that no variable holds. Text, because a handle of an object is good in one vm context alone. */
export function newMark(): string {
  return `kitchensink.mark ${randomUUID()}`;
}

/** A variable as the function that is paused sees it. */
export class PausedVariable {
  readonly #callFrameId: string;
  readonly #scopeNumber: number;
  readonly #variableName: string;
  readonly #remote: Runtime.RemoteObject;

  private constructor(
    frame: Debugger.CallFrame,
    { scopeNumber, name, remote }: { scopeNumber: number; name: string; remote: Runtime.RemoteObject },
  ) {
    this.#remote = remote;
    this.#callFrameId = frame.callFrameId;
    this.#scopeNumber = scopeNumber;
    this.#variableName = name;
  }

  /** Undefined when the function does not see it. */
  static find(frame: Debugger.CallFrame, { name, depth }: VariablePlace): PausedVariable | undefined {
    const scopeNumber = frame.scopeChain.length - depth;
    const objectId = frame.scopeChain[scopeNumber]?.object.objectId;
    if (objectId === undefined) return undefined;
    const { result } = theInspector().post<Runtime.GetPropertiesReturnType>("Runtime.getProperties", {
      objectId,
      ownProperties: true,
    });
    const found = result.find((property) => property.name === name)?.value;
    if (found === undefined) return undefined;
    return new PausedVariable(frame, { scopeNumber, name, remote: found });
  }

  get value(): unknown {
    return theInspector().take(this.#remote);
  }

  /** The value has to belong to the vm context that this package runs in. */
  set(value: unknown): void {
    this.#put(argumentFor(value));
  }

  #put(newValue: Runtime.CallArgument): void {
    theInspector().post("Debugger.setVariableValue", {
      callFrameId: this.#callFrameId,
      scopeNumber: this.#scopeNumber,
      variableName: this.#variableName,
      newValue,
    });
  }

  /** Lets the variable hold `mark` while `look` runs. */
  holding(mark: string, look: () => void): void {
    this.set(mark);
    try {
      look();
    } finally {
      const { objectId, unserializableValue, value } = this.#remote;
      if (objectId !== undefined) this.#put({ objectId });
      else
        this.#put(unserializableValue === undefined ? { value: value as unknown } : { unserializableValue });
    }
  }
}

function argumentFor(value: unknown): Runtime.CallArgument {
  if (
    (typeof value === "object" && value !== null) ||
    typeof value === "function" ||
    typeof value === "symbol"
  ) {
    return { objectId: theInspector().handle(value) };
  }
  if (typeof value === "bigint") return { unserializableValue: `${value}n` };
  if (typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))) {
    return { unserializableValue: Object.is(value, -0) ? "-0" : String(value) };
  }
  return { value };
}
