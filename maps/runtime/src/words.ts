/** One text for all languages, or a text by language tag. */
export type Words = string | Record<string, string>;

/** The languages that a reader can choose, by tag, each in its own writing. */
export const LANGUAGES: Record<string, string> = {
  en: "English",
  "zh-Hans": "简体中文",
  "zh-Hant": "繁體中文",
};

export function inLanguage(words: Words, lang: string): string {
  if (typeof words === "string") return words;
  return words[lang] ?? Object.values(words)[0] ?? "";
}

/** Puts values into the holes of a text: `{name}`. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole);
}
