import type L from "leaflet";
import { makeCard, spoken } from "./card";
import { contextOf } from "./context";
import { make } from "./dom";
import type { Words } from "./words";

export interface TitleConfig {
  title: Words;
  lines: Words[];
  reviewNumber: string;
}

export function titleBlock(map: L.Map, config: TitleConfig): HTMLElement {
  const context = contextOf(map);
  const review = () => context.text("review_number", { number: config.reviewNumber });
  const says = [...config.lines.map((line) => () => context.say(line)), review];
  const hosts = networkHosts().join(" ");
  if (hosts) says.push(() => context.text("needs_network", { hosts }));
  const heading = () => context.say(config.title);
  const card = makeCard(
    context,
    { heading, className: "gm-title", foldWhenNarrow: true },
    ...says.map((say) => make("p", {}, spoken(context, say))),
  );
  context.frame["top-left"].prepend(card);
  return card;
}

/** The hosts that the page's own policy lets in: none, if it needs no network. */
function networkHosts(): string[] {
  const policy = document.querySelector<HTMLMetaElement>(
    'meta[http-equiv="Content-Security-Policy"]',
  );
  return [...new Set(policy?.content.match(/https?:\/\/[^\s;]+/g) ?? [])];
}
