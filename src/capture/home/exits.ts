import type { Debugger } from "node:inspector";
import { inOneBurst, theInspector } from "../scopes/inspect.ts";
import { OwnInstances } from "./own-instances.ts";
import { LEAVE } from "./unfinished.ts";

/** Breakpoints where constructors are left, for as long as instances are made. */
export class Exits {
  readonly #breakpoints = new Map<string, string>();

  get areNeeded(): boolean {
    return this.#breakpoints.size > 0;
  }

  /** False when V8 cannot stop where it has to. The debugger has to stay on, as within {@link inOneBurst}. */
  open({ exit }: OwnInstances): boolean {
    if (exit === undefined) return true;
    const key = keyOf(exit);
    if (this.#breakpoints.has(key)) return true;
    const inspector = theInspector();
    const { breakpointId, actualLocation } = inspector.debugging(() =>
      inspector.post<Debugger.SetBreakpointReturnType>("Debugger.setBreakpoint", {
        location: exit,
        condition: LEAVE,
      }),
    );
    this.#breakpoints.set(key, breakpointId);
    return keyOf(actualLocation) === key;
  }

  close(): void {
    for (const breakpointId of this.#breakpoints.values())
      theInspector().post("Debugger.removeBreakpoint", { breakpointId });
    this.#breakpoints.clear();
  }
}

function keyOf({ scriptId, lineNumber, columnNumber }: Debugger.Location): string {
  return `${scriptId}:${lineNumber}:${columnNumber}`;
}

/** An instance of a class of this process with all its fields, made without its constructor; undefined when it cannot be. */
export function sampleOf(klass: object): { instance: object; instances: OwnInstances } | undefined {
  const exits = new Exits();
  return inOneBurst(() => {
    try {
      const instances = OwnInstances.of(klass);
      if (instances === undefined || !exits.open(instances)) return undefined;
      return { instance: instances.sample(), instances };
    } catch {
      return undefined;
    } finally {
      exits.close();
    }
  });
}
