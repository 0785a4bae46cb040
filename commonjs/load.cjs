const { runInThisContext } = require("node:vm");

const main = runInThisContext("globalThis");

/**
 * Loads an ES module of this package by Node's own `require`, in Node's main context. Jest gives CommonJS modules a vm
 * context, and a `require` that cannot load ES modules; elsewhere this is what `require` does by itself.
 */
exports.load = main.process.getBuiltinModule("node:module").createRequire(__filename);
exports.isMain = main === globalThis;
