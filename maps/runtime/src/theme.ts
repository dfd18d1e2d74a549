import type L from "leaflet";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

let chosen: Theme = "auto";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const callbacks: (() => void)[] = [];

export function theme(): Theme {
  return chosen;
}

/** Chooses light or dark, or what the reader's system has. */
export function setTheme(to: Theme): void {
  chosen = to;
  apply();
}

function apply(): void {
  const isDark = chosen === "dark" || (chosen === "auto" && dark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  for (const callback of callbacks) callback();
}

export function followTheme(map: L.Map): void {
  callbacks.push(() => map.fire("gridmap:theme"));
  dark.addEventListener("change", apply);
  apply();
}
