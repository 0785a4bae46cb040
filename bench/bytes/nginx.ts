// nginx and curl, as what bytes over HTTP cost without anything of this project.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../../test/store/support/redis.ts";
import { versionOf } from "../support/programs.ts";

export interface Nginx {
  /** Of the folder that it serves, with a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Absent when there is no nginx on this machine. */
export function nginxVersion(): string | undefined {
  return versionOf("nginx", ["-v"], /nginx\/(\S+)/);
}

export function curlVersion(): string | undefined {
  return versionOf("curl", ["--version"], /^curl (\S+)/);
}

/** Serves the files of a folder on a free port: one process that this one started, and that ends with it. */
export async function startNginx(folder: string): Promise<Nginx> {
  const own = mkdtempSync(join(tmpdir(), "kitchensink-nginx-"));
  const port = await freePort();
  const config = join(own, "nginx.conf");
  writeFileSync(config, configOf({ own, port, folder }));
  const child = spawn("nginx", ["-c", config, "-p", own], { stdio: ["ignore", "ignore", "inherit"] });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    const ended = child.exitCode === null ? once(child, "exit") : undefined;
    child.kill("SIGTERM");
    await ended;
    rmSync(own, { recursive: true, force: true });
  };
  try {
    await accepting(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}/`, stop };
}

function configOf({ own, port, folder }: { own: string; port: number; folder: string }): string {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${own};`,
  );
  return `${user} daemon off; master_process off; pid ${own}/pid; error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off; sendfile on; tcp_nopush on; ${folders.join(" ")}
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`;
}

async function accepting(port: number): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (tries === 100) throw new Error("nginx did not start", { cause: error });
      await pause(50);
    } finally {
      socket.destroy();
    }
  }
}
