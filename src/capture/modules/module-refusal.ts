/** Why a module cannot travel as source; the walk that needs it says which, and the way to it. */
export class ModuleRefusal extends Error {
  readonly wayOut: string;

  constructor(what: string, wayOut: string) {
    super(what);
    this.wayOut = wayOut;
  }
}

export function cannotTravel(what: string, wayOut: string): ModuleRefusal {
  return new ModuleRefusal(what, wayOut);
}
