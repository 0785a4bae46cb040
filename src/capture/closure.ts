const captures = new WeakMap<object, Readonly<Record<string, unknown>>>();

/**
 * Names by hand what a function takes from around it, for places where captured variables cannot be read: other
 * runtimes, a process under a debugger. Returns `fn` itself; values are read from `values` whenever it is sent.
 * Every name that the function uses and that is not global has to be among them; `this`, `arguments` and `super` of the
 * code around it do not come along.
 *
 * @example
 * ```ts
 * const rows = [1, 2, 3];
 * await c.call(closure(() => rows.length, { rows }));
 * ```
 */
export function closure<F extends (...args: never[]) => unknown>(fn: F, values: Record<string, unknown>): F {
  captures.set(fn, values);
  return fn;
}

/** What {@link closure} was given for a function. */
export function handCaptures(fn: object): Readonly<Record<string, unknown>> | undefined {
  return captures.get(fn);
}
