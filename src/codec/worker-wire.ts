/** The messages on a worker's channel as bytes, and back. Layouts: `docs/protocol.md`. */
import { KitchenError } from "../core/errors.ts";
import { parseJobId, parseNodeName, parseUnitHash } from "../core/ids.ts";
import {
  INPUT_FORMS,
  type FromWorker,
  type FunctionInfo,
  type JsonSchema,
  type NamespaceInfo,
  type ToWorker,
} from "../core/messages.ts";
import { Fields, pack } from "./pack.ts";
import { parseProgress, progressFields } from "./progress.ts";

export function encodeToWorker(message: ToWorker): Buffer {
  switch (message.type) {
    case "start": {
      const { secret, node, access, modules, isArbitraryBanned } = message.settings;
      const { inlineResultBytes, keepsResults } = message.settings;
      const { url, token, takesData } = access;
      return pack([
        "s",
        secret,
        node.name,
        node.url,
        modules,
        isArbitraryBanned,
        url,
        token,
        takesData,
        inlineResultBytes,
        keepsResults,
      ]);
    }
    case "unit":
      return pack(["u", message.hash, message.bytes]);
    case "forget":
      return pack(["g", message.hash]);
    case "run":
      return pack(["r", message.run, message.jobId, message.attempt, message.spec, message.outcomes]);
    case "cancel":
      return pack(["c", message.run, message.reason]);
    case "recall":
      return pack(["w", message.run]);
    case "read":
      return pack(["i", message.run, message.from, message.isOver]);
    case "describe":
      return pack(["d", message.request, message.namespace]);
    case "declare":
      return pack(["t", message.request, message.namespaces]);
  }
}

export function parseToWorker(bytes: Uint8Array): ToWorker {
  const fields = Fields.unpack(bytes, "message to a worker", 2);
  switch (fields.text(0)) {
    case "s":
      return {
        type: "start",
        settings: {
          secret: fields.text(1),
          node: { name: parseNodeName(fields.text(2)), url: fields.text(3) },
          modules: fields.list(4).map(String),
          isArbitraryBanned: fields.boolean(5),
          access: { url: fields.text(6), token: fields.textOrNull(7), takesData: fields.boolean(8) },
          inlineResultBytes: fields.count(9),
          keepsResults: fields.boolean(10),
        },
      };
    case "u":
      return { type: "unit", hash: parseUnitHash(fields.text(1)), bytes: fields.bytes(2) };
    case "g":
      return { type: "forget", hash: parseUnitHash(fields.text(1)) };
    case "r":
      return {
        type: "run",
        run: fields.count(1),
        jobId: parseJobId(fields.text(2)),
        attempt: fields.count(3),
        spec: fields.bytes(4),
        outcomes: fields.bytesList(5),
      };
    case "c":
      return { type: "cancel", run: fields.count(1), reason: fields.text(2) };
    case "w":
      return { type: "recall", run: fields.count(1) };
    case "i":
      return { type: "read", run: fields.count(1), from: fields.count(2), isOver: fields.boolean(3) };
    case "d":
      return { type: "describe", request: fields.count(1), namespace: fields.text(2) };
    case "t":
      return { type: "declare", request: fields.count(1), namespaces: fields.list(2).map(String) };
    default:
      throw new KitchenError("KS_BAD_REQUEST", `Not a message to a worker: ${fields.text(0)}`);
  }
}

export function encodeFromWorker(message: FromWorker): Buffer {
  switch (message.type) {
    case "ready":
      return pack(["y", message.namespaces.map((n) => [n.name, n.isArbitraryAllowed, n.functions])]);
    case "module-failed":
      return pack(["m", message.message]);
    case "streaming":
      return pack(["s", message.run]);
    case "item":
      return pack(["i", message.run, message.bytes]);
    case "progress":
      return pack(["p", message.run, ...progressFields(message.progress)]);
    case "finished":
      return pack(["f", message.run, message.result.outcome, message.result.isError, message.result.ranMs]);
    case "skipped":
      return pack(["k", message.run]);
    case "waiting":
      return pack(["w", message.run]);
    case "stray":
      return pack(["o", message.text]);
    case "described":
      return pack(["d", message.request, message.functions?.map(functionRow) ?? null]);
    case "declared":
      return pack(["t", message.request, message.declarations]);
  }
}

export function parseFromWorker(bytes: Uint8Array): FromWorker {
  const fields = Fields.unpack(bytes, "message from a worker", 2);
  switch (fields.text(0)) {
    case "y":
      return { type: "ready", namespaces: fields.list(1).map(parseNamespace) };
    case "m":
      return { type: "module-failed", message: fields.text(1) };
    case "s":
      return { type: "streaming", run: fields.count(1) };
    case "i":
      return { type: "item", run: fields.count(1), bytes: fields.bytes(2) };
    case "p":
      return { type: "progress", run: fields.count(1), progress: parseProgress(fields, 2) };
    case "f":
      return {
        type: "finished",
        run: fields.count(1),
        result: { outcome: fields.bytes(2), isError: fields.boolean(3), ranMs: fields.amount(4) },
      };
    case "w":
      return { type: "waiting", run: fields.count(1) };
    case "k":
      return { type: "skipped", run: fields.count(1) };
    case "o":
      return { type: "stray", text: fields.text(1) };
    case "d":
      return {
        type: "described",
        request: fields.count(1),
        functions: fields.raw(2) === null ? null : fields.list(2).map(parseFunction),
      };
    case "t":
      return { type: "declared", request: fields.count(1), declarations: fields.textOrNull(2) };
    default:
      throw new KitchenError("KS_BAD_REQUEST", `Not a message from a worker: ${fields.text(0)}`);
  }
}

function parseNamespace(row: unknown): NamespaceInfo {
  const fields = Fields.of(row, "namespace", 3);
  return {
    name: fields.text(0),
    isArbitraryAllowed: fields.boolean(1),
    functions: fields.list(2).map(String),
  };
}

function functionRow(info: FunctionInfo): readonly unknown[] {
  const { namespace, name, parameters, doc, input, inputForm, isGenerator } = info;
  return [
    namespace,
    name,
    parameters,
    doc,
    JSON.stringify(input),
    INPUT_FORMS.indexOf(inputForm),
    isGenerator,
  ];
}

function parseFunction(row: unknown): FunctionInfo {
  const fields = Fields.of(row, "function", 7);
  return {
    namespace: fields.text(0),
    name: fields.text(1),
    parameters: fields.text(2),
    doc: fields.text(3),
    input: parseSchema(fields.text(4)),
    inputForm: INPUT_FORMS[fields.count(5)] ?? "list",
    isGenerator: fields.boolean(6),
  };
}

function parseSchema(text: string): JsonSchema {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {
    // Falls through to the one message.
  }
  throw new KitchenError("KS_BAD_REQUEST", "Not a function: its input is no JSON Schema");
}
