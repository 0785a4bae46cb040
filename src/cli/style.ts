/** The one place for colours: they are for terminals, unless `NO_COLOR` or `FORCE_COLOR` says otherwise. */
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** Gives text a colour, where a stream shows colours. */
export type Paint = (style: Style, text: string) => string;

/** @example `painter(process.stdout)("red", "failed")` */
export function painter(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}
