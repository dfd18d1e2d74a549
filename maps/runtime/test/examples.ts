import text from "../../../docs/packed.md";
import { type Content, type Decoded, decode } from "../src/packed/decode";
import type { Lattice } from "../src/packed/projection";

/** The examples of docs/packed.md: what a page holds, and what a reader gets. */
export interface Example<Held> {
  config: Content & { lattice: Lattice; fields: { name: string }[] };
  decoded: Decoded;
  held: Held;
}

export async function example<Held>(position: number): Promise<Example<Held>> {
  const section = text.split("\n## An example: ")[position + 1];
  const [config, held] = Array.from(section.matchAll(/```json\n(.*?)```/gs), ([, json]) =>
    JSON.parse(json),
  );
  const data = /^data +(\S+)$/m.exec(section)?.[1] ?? "";
  return { config, held, decoded: await decode(config, data, () => undefined) };
}
