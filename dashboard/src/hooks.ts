import { useEffect, useState } from "preact/hooks";
import type { Model } from "./model.ts";
import { type AnswerError, get } from "./session.ts";
import { whenVisible } from "./visible.ts";

/** Renders again whenever the model has news. */
export function useModel(model: Model): void {
  const [, setCount] = useState(0);
  useEffect(() => model.subscribe(() => setCount((count) => count + 1)), [model]);
}

export interface Asked<Answer> {
  readonly answer: Answer | undefined;
  readonly error: AnswerError | undefined;
  /** Asks now. */
  readonly again: () => void;
}

/** An answer of the node, asked for anew every `everyMs` (0: once) while somebody looks, and until `isOver` says so. */
export function useAnswer<Answer>(
  path: string,
  everyMs: number,
  isOver: (answer: Answer) => boolean = () => false,
): Asked<Answer> {
  const [state, setState] = useState<{ path: string; answer?: Answer; error?: AnswerError }>({ path });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      let over = everyMs === 0;
      await whenVisible(stop.signal);
      try {
        const answer = await get<Answer>(path, stop.signal);
        over ||= isOver(answer);
        setState({ path, answer });
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((before) => ({ ...before, path, error: error as AnswerError }));
      }
      if (!over && !stop.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  const isCurrent = state.path === path;
  return {
    answer: isCurrent ? state.answer : undefined,
    error: isCurrent ? state.error : undefined,
    again: () => setRound((count) => count + 1),
  };
}

/** The part of the address behind `#/`, in its pieces. */
export function useRoute(): readonly string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const take = (): void => setHash(location.hash);
    addEventListener("hashchange", take);
    // It may have changed since the page was drawn first.
    take();
    return () => removeEventListener("hashchange", take);
  }, []);
  return hash.replace(/^#\/?/, "").split("/").map(decoded);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
