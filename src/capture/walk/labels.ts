/** How a path shows a property: `.name`, `[0]`, `["odd name"]`. */
export function labelOf(key: string | symbol): string {
  if (typeof key === "symbol") return `[${String(key)}]`;
  if (/^(0|[1-9]\d*)$/.test(key)) return `[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
