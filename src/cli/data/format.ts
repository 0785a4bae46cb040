/** What people read of data. */
import type { DataInfo, Replica } from "../../client/remote-data/data-info.ts";

/** Names are shown of so many replicas. */
const FEW = 3;

/** How many, and which when they are few. */
export function showReplicas(replicas: readonly Replica[]): string {
  const away = replicas.filter(({ isAlive }) => !isAlive).length;
  if (replicas.length > FEW) return `${replicas.length}${away === 0 ? "" : ` (${away} away)`}`;
  const names = replicas.map(({ node, isAlive }) => (isAlive ? node : `${node} (away)`));
  return names.length === 0 ? "0" : `${names.length}: ${names.join(", ")}`;
}

/** `2026-01-02 03:04`, where the reader is. */
export function showDate({ createdAt }: DataInfo): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [createdAt.getFullYear(), two(createdAt.getMonth() + 1), two(createdAt.getDate())];
  return `${day.join("-")} ${two(createdAt.getHours())}:${two(createdAt.getMinutes())}`;
}
