import type L from "leaflet";
import type { Field, Value } from "./format";
import type { Words } from "./words";

/** What search, table, filter and the other cards ask of a layer, whatever draws it. */
export interface Features {
  /** The overlay's name, unique on the page: how other elements refer to it. */
  readonly name: string;
  /** What the overlay is called, by language. */
  readonly title: Words;
  /** Rows. */
  readonly count: number;
  /** All fields that have values here, in order. */
  readonly fields: Field[];
  /** Names of the fields of the popup and the table. */
  readonly shown: string[];
  /** A raw value; null where missing. */
  value(row: number, name: string): Value;
  /** A value as the page's reader sees it. */
  text(row: number, name: string): string;
  has(row: number, name: string): boolean;
  /** null: the row has no geometry. */
  bounds(row: number): L.LatLngBounds | null;
  /** Areas that hold the point, shown or not, filtered or not. */
  rowsAt(point: L.LatLng): number[];
  /** Rows whose bounds meet these, of those not filtered out, ascending. */
  rowsIn(bounds: L.LatLngBounds): number[];
  /** The present class of a row: a position in the styles. */
  classOf(row: number): number;
  /** Outlines the row above all layers and opens its popup; the caller moves the map. */
  select(row: number, at?: L.LatLng): void;
  /** Draws only the rows that have a 1; null: all. */
  filter(keep: Uint8Array | null): void;
  /** Draws each row in the style at its position. */
  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void;
  /** Draws nothing, but answers as before. */
  veil(on: boolean): void;
  /** Makes a picture of the rows for a pane of its own, which answers no pointer. */
  twin(pane: string): Twin;
}

/** A second picture of the rows of a layer, with styles and a filter of its own. */
export interface Twin {
  readonly layer: L.Layer;
  filter(keep: Uint8Array | null): void;
  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void;
}
