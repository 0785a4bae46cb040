import type { NamespaceInfo } from "../core/messages.ts";

/** What may run here: known from flags, and from what modules registered, without loading a module in this process. */
export class Policy {
  readonly #isArbitraryBanned: boolean;
  #namespaces: readonly NamespaceInfo[] = [];
  #banned: ReadonlySet<string> = new Set();

  constructor(isArbitraryBanned: boolean) {
    this.#isArbitraryBanned = isArbitraryBanned;
  }

  get namespaces(): readonly NamespaceInfo[] {
    return this.#namespaces;
  }

  update(namespaces: readonly NamespaceInfo[]): void {
    this.#namespaces = namespaces;
    this.#banned = new Set(namespaces.filter((info) => !info.isArbitraryAllowed).map(({ name }) => name));
  }

  isArbitraryAllowed(namespace: string): boolean {
    return !this.#isArbitraryBanned && !this.#banned.has(namespace);
  }
}
