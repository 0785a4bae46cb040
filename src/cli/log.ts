import pino from "pino";
import type { Log } from "../node/options.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** The log, on stderr: lines for people on a terminal, JSON lines for programs elsewhere. */
export async function createLog(level: string, stream: NodeJS.WriteStream = process.stderr): Promise<Log> {
  if (!stream.isTTY) return logOf(pino({ level }, stream));
  // Only for people, who wait less for what they do not need.
  const { default: pretty } = await import("pino-pretty");
  const destination = pretty({
    destination: stream,
    ignore: "pid,hostname",
    translateTime: "SYS:HH:MM:ss",
    sync: true,
    colorize: stream.hasColors(),
  });
  return logOf(pino({ level }, destination));
}

function logOf(logger: pino.Logger): Log {
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  };
}
