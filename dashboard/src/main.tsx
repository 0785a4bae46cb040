import { render } from "preact";
import { App } from "./app.tsx";
import { logInByLink } from "./session.ts";
import { applyTheme, currentTheme } from "./theme.ts";

applyTheme(currentTheme());
const root = document.getElementById("root");
const show = (problem: string | undefined): void => {
  if (root !== null) render(<App problem={problem} />, root);
};
// A link may also be followed while the page is open.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#login=")) location.reload();
});
logInByLink().then(
  () => show(undefined),
  (error: unknown) => show(error instanceof Error ? error.message : String(error)),
);
