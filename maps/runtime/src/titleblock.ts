import type L from "leaflet";
import { contextOf } from "./context";
import { make } from "./dom";
import { makeCard } from "./frame";

export interface TitleConfig {
  title: string;
  lines: string[];
  reviewNumber: string;
}

export function titleBlock(map: L.Map, config: TitleConfig): HTMLElement {
  const context = contextOf(map);
  const review = context.text("review_number", { number: config.reviewNumber });
  const lines = [...config.lines, review].map((line) => make("p", {}, line));
  const labels = { expand: context.text("expand"), collapse: context.text("collapse") };
  const card = makeCard(
    { heading: config.title, className: "gm-title", labels, foldWhenNarrow: true },
    ...lines,
  );
  context.frame["top-left"].prepend(card);
  return card;
}
