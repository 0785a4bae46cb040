// Makes `dist`: `npm run build`. tsc gives the types, rolldown the program in few files: Node takes 0.3 ms for each module
// that it loads, however small, and a worker has 160 of them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { build } from "vite";

/** What is loaded by its path. All else is in files that these share, so that no module is there twice. */
const ENTRIES = [
  // What users import.
  "index",
  "functions",
  "capture",
  "testing",
  "register",
  // What processes and threads begin with, and what a worker loads late.
  "cli/main",
  "worker/child/entry",
  "worker/child/node-data",
  "worker/typescript/thread-hooks",
  "data/thread/entry",
  // For `commonjs/load.cjs`.
  "capture/resolve/modules",
  "client/connection/realm",
  // For tests of what is seen only in programs that no test runner has rewritten.
  "capture/capture",
  "capture/closure",
  "capture/revive",
  "capture/stacks/stacks",
  "data/directory",
];

/**
 * The parts, each with what it needs and no part before it has. Automatic ones would be as few, but the debugger shows a
 * paused program scope by scope, and takes longer the more names a file has: so what is on the stack when capturing pauses
 * (`src/capture/scopes/probe.ts`) is in files of its own.
 */
const PARTS = [
  { name: "core", test: /src\/(core|codec)\// },
  { name: "inspect", test: /src\/capture\/scopes\/inspect\.ts/ },
  { name: "compile", test: /src\/capture\/revive\/compile\.ts/ },
  { name: "probe", test: /src\/capture\/scopes\/(identity|probe)\.ts/ },
  { name: "revive", test: /src\/capture\/revive\.ts/ },
  { name: "capture", test: /src\/capture\// },
  { name: "uuid", test: /node_modules\/uuid\// },
  { name: "http", test: /src\/client\/(connection\/(http|token)|calls\/new-job-id)\.ts/ },
  { name: "remote-data", test: /src\/client\/remote-data\/remote-data\.ts/ },
  // Loaded with the first bar, and with it what knows how wide characters are.
  { name: "bars", test: /src\/client\/display\/(bars?|live-area)\.ts/ },
  { name: "tracing", test: /src\/client\/tracing\.ts/ },
  { name: "client", test: /src\/client\// },
].map((part, at, all) => ({ ...part, priority: all.length - at }));

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
/** msgpackr's addon has an install script: it is used where somebody installed it, and asked of nobody. */
const OUTSIDE = [...Object.keys(dependencies), "msgpackr-extract"];

if (spawnSync("tsc -p tsconfig.build.json", { stdio: "inherit", shell: true }).status !== 0) process.exit(1);
const program = new Map([...(await bundled()), ...(await dashboard())]);
for (const [path, content] of program) write(join("dist", path), content);
removeAllBut(program);

async function bundled() {
  const bundle = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
    platform: "node",
    external: (id) => OUTSIDE.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog: (level, { message }) => {
      if (level === "warn") throw new Error(message);
    },
  });
  const { output } = await bundle.generate({
    entryFileNames: "[name].js",
    // All in one folder: `packageUrl` (src/core/own-code.ts) counts on it.
    chunkFileNames: "parts/[name].js",
    codeSplitting: { groups: PARTS },
  });
  return new Map([...output.map(({ fileName, code }) => [fileName, code]), ...licencesOf(output)]);
}

/** The page that nodes serve: its file names tell the contents, but for the one that names the others. */
async function dashboard() {
  const { output } = await build({
    root: "dashboard",
    configFile: false,
    logLevel: "warn",
    base: "/dashboard/",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: { write: false, assetsDir: "", modulePreload: { polyfill: false }, target: "es2022" },
  });
  return output.map((file) => [
    `dashboard/${file.fileName}`,
    file.type === "chunk" ? file.code : file.source,
  ]);
}

/** Of packages that are in the program itself: of `uuid` little of many files is used, `msgpackr` would bring its addon. */
function licencesOf(chunks) {
  const paths = chunks.flatMap(({ moduleIds }) => moduleIds.filter((id) => id.includes("node_modules")));
  const homes = new Map(paths.map((path) => /^.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path)));
  return [...homes].map(([home, name]) => {
    const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
    return [`parts/${name}.licence.md`, readFileSync(join(home, file), "utf8")];
  });
}

/** Only what is new, and each at once: other processes may be running what is there. */
function write(path, content) {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

/** Files of earlier builds. */
function removeAllBut(files) {
  for (const path of readdirSync("dist", { recursive: true }))
    if (/\.js(\.map)?$|^dashboard.+\.css$/.test(path) && !files.has(path.replaceAll("\\", "/")))
      rmSync(join("dist", path));
}
