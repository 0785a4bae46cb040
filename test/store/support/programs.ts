import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The first of these programs that is on PATH. On Debian as root the tests help themselves to the package. */
export function findOrInstall(programs: readonly string[], debianPackage: string): string {
  if (find(programs) === undefined) install(debianPackage);
  const program = find(programs);
  if (program !== undefined) return program;
  throw new Error(
    `These tests need ${programs.join(" or ")} on PATH (Debian: apt-get install ${debianPackage}; macOS: brew install ${debianPackage.replace("-server", "")})`,
  );
}

function find(programs: readonly string[]): string | undefined {
  for (const name of programs)
    for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here: look in the next folder.
      }
    }
  return undefined;
}

function install(debianPackage: string): void {
  if (process.getuid?.() !== 0) return;
  const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
  try {
    execFileSync("apt-get", ["update"], quiet);
    execFileSync(
      "apt-get",
      ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", debianPackage],
      // The package of a server would start one of its own, on the usual port.
      { ...quiet, env: { ...quiet.env, RUNLEVEL: "1" } },
    );
  } catch {
    // The caller says what is missing.
  }
}
