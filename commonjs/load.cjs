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

/** An entry whose exports of these names make clients: of those made here, what comes back is of the classes of this context. */
const loadForHere = (path, names) => {
  const entry = load(path);
  if (isMain) return entry;
  const { inRealm } = load("../dist/client/connection/realm.js");
  const here = {
    apply: (fn, self, args) => inRealm(globalThis, () => Reflect.apply(fn, self, args)),
    construct: (made, args, target) => inRealm(globalThis, () => Reflect.construct(made, args, target)),
  };
  return { ...entry, ...Object.fromEntries(names.map((name) => [name, new Proxy(entry[name], here)])) };
};

module.exports = { load, loadForHere };
