import pino from "pino";
import pretty from "pino-pretty";
import type { Log } from "../node/options.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** The log, on stderr: lines for people on a terminal, JSON lines for programs elsewhere. */
export function createLog(level: string, stream: NodeJS.WriteStream = process.stderr): Log {
  const destination = stream.isTTY
    ? pretty({
        destination: stream,
        ignore: "pid,hostname",
        translateTime: "SYS:HH:MM:ss",
        sync: true,
        colorize: stream.hasColors(),
      })
    : stream;
  return pino({ level }, destination);
}
