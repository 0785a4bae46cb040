import type { Paint } from "../style.ts";
import { counted, type Finding, type Level } from "./finding.ts";

const STYLES = { ok: "green", warning: "yellow", problem: "red" } as const;
const LABEL_WIDTH = "warning".length;

/** Findings for people: a part for each thing that they are about, and what to do behind an arrow. */
export function render(findings: readonly Finding[], paint: Paint): string {
  const things = new Set(findings.map(({ about }) => about));
  const parts = Array.from(things, (thing) => {
    const found = findings.filter(({ about }) => about === thing);
    return `${thing}\n${found.map((one) => line(one, paint)).join("")}`;
  });
  return `${parts.join("\n")}\n${summary(findings)}\n`;
}

function line({ level, message, advice }: Finding, paint: Paint): string {
  const indent = " ".repeat(LABEL_WIDTH + 4);
  return `  ${paint(STYLES[level], level.padEnd(LABEL_WIDTH))}  ${message}\n${advice === undefined ? "" : `${indent}→ ${advice}\n`}`;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (problems + warnings === 0) return "All is well.";
  return `${counted(problems, "problem")}, ${counted(warnings, "warning")}.`;
}
