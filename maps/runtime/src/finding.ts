import type { Features } from "./features";

/** What a search asks of a layer. */
type Asked = Pick<Features, "fields" | "count" | "value">;

export interface Hit<F extends Asked = Features> {
  features: F;
  row: number;
  /** 0: a value is what was typed, 1: begins with it, 2: holds it. */
  rank: number;
}

/** All words of one layer, ready to search: made when the reader first comes to the box. */
export class Index<F extends Asked = Features> {
  private readonly names: string[];
  private readonly texts: string[];

  constructor(readonly features: F) {
    this.names = features.fields
      .filter(({ format, categories }) => format === "text" && !categories)
      .map(({ name }) => name);
    this.texts = Array.from({ length: features.count }, (_, row) => {
      const values = this.names.map((name) => features.value(row, name));
      const words = values.filter((value) => typeof value === "string");
      return words.length ? `\n${words.join("\n")}\n`.toLowerCase() : "";
    });
  }

  /** Returns the rows that hold what was typed, in their order; `asked` is in lower case. */
  find(asked: string): Hit<F>[] {
    const { texts, features } = this;
    const hits: Hit<F>[] = [];
    for (const [row, text] of texts.entries()) {
      if (text.includes(asked)) hits.push({ features, row, rank: rankOf(text, asked) });
    }
    return hits;
  }

  /** What a row is called: up to three different words, those that were found first. */
  describe(row: number, asked: string): string[] {
    const words = this.names
      .map((name) => this.features.value(row, name))
      .filter((value): value is string => typeof value === "string" && value !== "");
    const found = words.filter((word) => word.toLowerCase().includes(asked));
    return [...new Set([...found, ...words])].slice(0, 3);
  }
}

/** How well words, each on a line, fit what was typed. */
function rankOf(text: string, asked: string): number {
  if (text.includes(`\n${asked}\n`)) return 0;
  return text.includes(`\n${asked}`) ? 1 : 2;
}

/** Returns the hits of all layers, the best first; equals stay in the order of layers and rows. */
export function ranked<F extends Asked>(indexes: Index<F>[], asked: string): Hit<F>[] {
  return indexes.flatMap((index) => index.find(asked)).sort((a, b) => a.rank - b.rank);
}
