/** How long a job waits before it says so, in ms, and between two looks: twice this at most. */
const LOOK_MS = 250;

/** Says again and again that a job waits for jobs that it called, once it has for a while: they may need its place. */
export function sayWaits(client: { readonly waiting: number }, say: () => void): void {
  let wasWaiting = false;
  setInterval(() => {
    const isWaiting = client.waiting > 0;
    if (isWaiting && wasWaiting) say();
    wasWaiting = isWaiting;
  }, LOOK_MS).unref();
}
