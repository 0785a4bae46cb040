// Hosts of a network of their own on this machine: network namespaces behind a bridge. Needs root and iproute2.
import { execFileSync } from "node:child_process";

export interface Hosts {
  /** The bridge's own address, at which all hosts reach this machine. */
  readonly bridge: string;
  readonly addresses: readonly string[];
  /** What a command begins with that is to run on a host. */
  commandOn(index: number): readonly string[];
  remove(): void;
}

/** So many hosts, each with `mbit` Mbit/s in both directions. Nothing of them is left when the process ends. */
export function makeHosts(count: number, { mbit }: { mbit: number }): Hosts {
  if (process.getuid?.() !== 0) throw new Error("Cannot make hosts: network namespaces need root");
  const tag = `ks${process.pid % 10_000}`;
  const subnet = "10.77.0";
  const names = Array.from({ length: count }, (_, at) => `${tag}n${at + 1}`);
  const remove = (): void => {
    for (const name of names) quietly("ip", "netns", "del", name);
    quietly("ip", "link", "del", `${tag}b`);
  };
  process.once("exit", remove);
  run("ip", "link", "add", `${tag}b`, "type", "bridge");
  run("ip", "addr", "add", `${subnet}.254/24`, "dev", `${tag}b`);
  run("ip", "link", "set", `${tag}b`, "up");
  const shape = ["root", "tbf", "rate", `${mbit}mbit`, "burst", "256k", "latency", "20ms"];
  for (const [at, name] of names.entries()) {
    const link = `${tag}v${at + 1}`;
    run("ip", "netns", "add", name);
    run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
    run("ip", "link", "set", link, "master", `${tag}b`, "up");
    run("ip", "-n", name, "addr", "add", `${subnet}.${at + 1}/24`, "dev", "eth0");
    for (const device of ["eth0", "lo"]) run("ip", "-n", name, "link", "set", device, "up");
    run("tc", "-n", name, "qdisc", "add", "dev", "eth0", ...shape);
    run("tc", "qdisc", "add", "dev", link, ...shape);
  }
  return {
    bridge: `${subnet}.254`,
    addresses: names.map((_, at) => `${subnet}.${at + 1}`),
    commandOn: (index) => ["ip", "netns", "exec", names[index] ?? ""],
    remove: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function quietly(command: string, ...args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: "ignore" });
  } catch {
    // It was never made.
  }
}
