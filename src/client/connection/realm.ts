let current: object | undefined;

/**
 * Has clients that `make` makes, while it runs, give results of the vm context with these globals: `commonjs` calls it for
 * the context that required the package, as Jest has one for each test file. Undefined: of this package's own.
 */
export function inRealm<T>(globals: object | undefined, make: () => T): T {
  const before = current;
  current = globals;
  try {
    return make();
  } finally {
    current = before;
  }
}

/** The one of {@link inRealm}. */
export function currentRealm(): object | undefined {
  return current;
}
