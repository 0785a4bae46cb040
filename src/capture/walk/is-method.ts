/** Whether a function was written as a method: it has no prototype object, and its text is neither a function's nor an arrow's. */
export function isMethod(value: unknown): boolean {
  return (
    typeof value === "function" &&
    !Object.hasOwn(value, "prototype") &&
    !/^(async\s*)?(function\b|\(|[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=>)/u.test(
      Function.prototype.toString.call(value),
    )
  );
}
