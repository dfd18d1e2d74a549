const PRECISION = 5;

/** What the address of a page says of it; null where it says nothing. */
export interface PageState {
  place: [zoom: number, lat: number, lng: number] | null;
  /** The names of the overlays that are shown, perhaps of none. */
  layers: string[] | null;
  /** As the slider writes it. */
  time: string | null;
  lang: string | null;
  theme: string | null;
}

/** Returns a state as the part of an address behind `#`, with it. */
export function writeState({ place, layers, time, lang, theme }: PageState): string {
  const said: [key: string, value: string | null][] = [];
  if (place) {
    const [zoom, ...degrees] = place;
    said.push(["map", [zoom, ...degrees.map((degree) => degree.toFixed(PRECISION))].join("/")]);
  }
  // A layer without a name stands for none at all.
  const names = layers?.length === 0 ? [""] : (layers ?? []);
  said.push(...names.map((name): [string, string] => ["layer", name]));
  said.push(["time", time], ["lang", lang], ["theme", theme]);
  const written = said.flatMap(([key, value]) =>
    value === null ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return `#${written.join("&").replaceAll("%2F", "/")}`;
}

/** Reads what an address says; a place that is none counts as not said. */
export function readState(hash: string): PageState {
  const said = new URLSearchParams(hash.slice(1));
  const [zoom, lat, lng, ...more] = (said.get("map") ?? "").split("/").map(Number);
  const isPlace = [zoom, lat, lng].every(Number.isFinite) && !more.length;
  return {
    place: isPlace ? [zoom, lat, lng] : null,
    layers: said.has("layer") ? said.getAll("layer").filter(Boolean) : null,
    time: said.get("time"),
    lang: said.get("lang"),
    theme: said.get("theme"),
  };
}
