import type { Progress } from "../../core/progress.ts";
import type * as Late from "./bars.ts";

let loading: Promise<typeof Late> | undefined;

/** A bar that is shown from its first progress on. What draws it is loaded then: most programs show none. */
export class LateBar {
  #latest: Progress | undefined;
  #shows: Late.Bars | undefined;
  #isOver = false;
  #isKept = false;

  show(progress: Progress): void {
    if (this.#isOver) return;
    const isFirst = this.#latest === undefined;
    this.#latest = progress;
    if (this.#shows !== undefined) this.#shows.show(this, progress);
    else if (isFirst) void this.#load();
  }

  /** `isKept`: it stays as a line among what is printed. */
  end({ isKept = false }: { readonly isKept?: boolean } = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isKept = isKept;
    // While what draws it is being loaded, it ends behind that.
    this.#shows?.end(this, { isKept });
  }

  async #load(): Promise<void> {
    const { bars } = await (loading ??= import("./bars.ts"));
    if (this.#latest === undefined) return;
    this.#shows = bars;
    bars.show(this, this.#latest);
    if (this.#isOver) bars.end(this, { isKept: this.#isKept });
  }
}
