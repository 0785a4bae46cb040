/** What of the node's environment every worker gets. Anything else may be a secret. */
const ALLOWED = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "NODE_ENV",
  "NODE_PATH",
  "NODE_EXTRA_CA_CERTS",
  "NO_COLOR",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  "SYSTEMROOT",
  "PATHEXT",
  "COMSPEC",
]);

/** The environment of a worker: the allow-list, the locale, and what the user let through by name with `--env`. */
export function workerEnvironment(
  environment: NodeJS.ProcessEnv,
  letThrough: readonly string[],
): NodeJS.ProcessEnv {
  const isAllowed = (name: string): boolean =>
    ALLOWED.has(name) || name.startsWith("LC_") || letThrough.includes(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => isAllowed(name)));
}
