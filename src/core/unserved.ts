/** Why nobody begins the jobs of a queue (`gpu`, `default|node3`) that no node runs, and the way out. */
export function whyUnserved(queue: string): string {
  const [shared = "", node] = queue.split("|");
  return node === undefined
    ? `no node runs the queue ${shared} (kitchensink start --queue ${shared})`
    : `there is no node of the name ${node} that runs the queue ${shared} (kitchensink nodes lists those that are there)`;
}
