const { runInThisContext } = require("node:vm");

const main = runInThisContext("globalThis");

/**
 * Loads an ES module of this package by Node's own `require`, in Node's main context. Jest gives CommonJS modules a vm
 * context, and a `require` that cannot load ES modules; elsewhere this is what `require` does by itself.
 */
const load = main.process.getBuiltinModule("node:module").createRequire(__filename);
const isMain = main === globalThis;

// Packages that were loaded by the `require` of this context are known by it alone.
if (!isMain) load("../dist/capture/resolve/modules.js").addRequireCache(require.cache);

module.exports = { load, isMain };
