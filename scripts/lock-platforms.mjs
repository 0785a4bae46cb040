// Completes package-lock.json: npm leaves out optional packages of other platforms when the registry at hand does not
// have them, and `npm ci` then refuses the file. Also drops download addresses. Run it after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
const lock = JSON.parse(readFileSync(FILE, "utf8"));

for (const [path, entry] of Object.entries(lock.packages)) {
  // Of a folder of this project it is the path.
  if (entry.link !== true) delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (path === "" || isLocked(path, name)) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      optional: true,
      ...(entry.dev === true ? { dev: true } : {}),
      ...platformOf(name),
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, undefined, 2)}\n`);

function isLocked(path, name) {
  return `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages;
}

/** Such packages carry their platform in their names: `…-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split("/").at(-1).split("-");
  const os = words.find((word) =>
    [
      "darwin",
      "linux",
      "win32",
      "android",
      "freebsd",
      "openharmony",
      "netbsd",
      "openbsd",
      "sunos",
      "aix",
    ].includes(word),
  );
  const cpu = words.find((word) =>
    /^(arm|arm64|x64|ia32|riscv64|s390x|ppc64|loong64|mips64el|wasm32)$/.test(word),
  );
  return { ...(os === undefined ? {} : { os: [os] }), ...(cpu === undefined ? {} : { cpu: [cpu] }) };
}
