import { hash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { packageUrl } from "../../core/own-code.ts";

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

const FOLDER = packageUrl("dist/dashboard/");
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

let files: Promise<ReadonlyMap<string, PageFile>> | undefined;

/** The dashboard's files by name, read when somebody first asks for one. */
export function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  return (files ??= readAll());
}

async function readAll(): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(FOLDER).catch(() => []);
  const known = names.filter((name) => typeOf(name) !== undefined);
  return new Map(await Promise.all(known.map(async (name) => [name, await read(name)] as const)));
}

async function read(name: string): Promise<PageFile> {
  const bytes = await readFile(new URL(name, FOLDER));
  const etag = `"${hash("sha256", bytes, "base64url").slice(0, 22)}"`;
  return { type: typeOf(name) ?? "", bytes, gzipped: gzipSync(bytes), etag };
}

function typeOf(name: string): string | undefined {
  return TYPES[name.split(".").at(-1) ?? ""];
}
