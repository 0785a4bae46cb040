/**
 * The text that a function of a module which came as source had where the module came from. Modules that use these names
 * themselves never travel, so each of them stands for something else.
 */
export function originalSource(source: string): string {
  if (!/\bimp0rt\b|\$ks_/.test(source)) return source;
  return source
    .replace(/\bimp0rt\b/g, "import")
    .replaceAll("$ks_req", "require")
    .replaceAll("$ks_dir()", "__dirname")
    .replaceAll("$ks_file()", "__filename");
}
