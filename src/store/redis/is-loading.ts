import { connect } from "node:net";

/** Whether a Redis on this machine answers that it still reads what it kept, within `patienceMs`. */
export function isLoading(port: number, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // Between two commands of its file it may not look at its clients for a while.
    socket.setTimeout(patienceMs, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("data", (answer) => end(answer.toString().startsWith("-LOADING")));
    socket.write("PING\r\n");
  });
}
