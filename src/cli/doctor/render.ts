import { styleText } from "node:util";
import { counted, type Finding, type Level } from "./finding.ts";

const STYLES = { ok: "green", warning: "yellow", problem: "red" } as const;
const LABEL_WIDTH = "warning".length;

export interface Look {
  readonly isColored: boolean;
}

/** Findings for people: a part for each thing that they are about, and what to do behind an arrow. */
export function render(findings: readonly Finding[], look: Look): string {
  const things = new Set(findings.map(({ about }) => about));
  const parts = Array.from(things, (thing) => {
    const found = findings.filter(({ about }) => about === thing);
    return `${thing}\n${found.map((one) => line(one, look)).join("")}`;
  });
  return `${parts.join("\n")}\n${summary(findings)}\n`;
}

function line({ level, message, advice }: Finding, look: Look): string {
  const indent = " ".repeat(LABEL_WIDTH + 4);
  return `  ${painted(level, look)}  ${message}\n${advice === undefined ? "" : `${indent}→ ${advice}\n`}`;
}

function painted(level: Level, { isColored }: Look): string {
  const label = level.padEnd(LABEL_WIDTH);
  return isColored ? styleText(STYLES[level], label, { validateStream: false }) : label;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems + warnings === 0) return "All is well.";
  return `${counted(problems, "problem")}, ${counted(warnings, "warning")}.`;
}
