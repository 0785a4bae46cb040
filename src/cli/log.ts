import { createRequire } from "node:module";
import type * as Pino from "pino";
import type * as Pretty from "pino-pretty";
import { printable } from "../core/printable.ts";
import type { Log } from "../node/options.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

export type Level = (typeof LOG_LEVELS)[number];

const require = createRequire(import.meta.url);

/** The log, on stderr: lines for people on a terminal, JSON lines for programs elsewhere. */
export function createLog(level: Level, stream: NodeJS.WriteStream = process.stderr): Log {
  let logger: Pino.Logger | undefined;
  // Loaded with the first line, because a node that has nothing to say starts sooner without.
  const writer = (kind: keyof Log) => (message: string) => {
    if (LOG_LEVELS.indexOf(kind) < LOG_LEVELS.indexOf(level)) return;
    // It quotes what others wrote, and JSON does not escape all that moves a terminal's cursor.
    const shown = message.split("\n").map(printable).join("\n");
    (logger ??= createLogger(level, stream))[kind](shown);
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

function createLogger(level: Level, stream: NodeJS.WriteStream): Pino.Logger {
  const { pino } = require("pino") as typeof Pino;
  return pino({ level }, stream.isTTY ? forPeople(stream) : stream);
}

function forPeople(stream: NodeJS.WriteStream): Pino.DestinationStream {
  const { default: pretty } = require("pino-pretty") as typeof Pretty;
  return pretty({
    destination: stream,
    ignore: "pid,hostname",
    translateTime: "SYS:HH:MM:ss",
    sync: true,
    colorize: stream.hasColors(),
  });
}
