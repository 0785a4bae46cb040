export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "kitchensink-theme";

/** Those of the style sheet that are drawn by scripts, which would read `light-dark(…)` of what is not known to be a color. */
const DRAWN = ["--muted", "--line", "--track", "--failed", "--c1", "--c2", "--c3"] as const;

for (const name of DRAWN)
  CSS.registerProperty({ name, syntax: "<color>", inherits: true, initialValue: "transparent" });

export function currentTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === kept) ?? "system";
}

export function applyTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  dispatchEvent(new Event("themechange"));
}

type DrawnColor = (typeof DRAWN)[number];

/** A color of the style sheet, for what is drawn. */
export function styleColor(name: DrawnColor): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Calls back when the colors have changed. */
export function onThemeChange(listener: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  addEventListener("themechange", listener);
  system.addEventListener("change", listener);
  return () => {
    removeEventListener("themechange", listener);
    system.removeEventListener("change", listener);
  };
}
