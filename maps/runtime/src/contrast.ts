import type { Colour } from "./colour";

/** What has less contrast than this with what it lies on cannot be made out (WCAG 2.2, 1.4.11). */
const LEAST_CONTRAST = 3;
/** Colours whose channels differ by less than this are greys. */
const GREY = 64;

/** The relative luminance of WCAG 2.2, 0 (black) to 1 (white). */
export function luminanceOf(colour: Colour): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The contrast of two luminances (WCAG 2.2), 1 to 21. */
export function contrastOf(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/**
 * Turns greys round, `#1a202c` into `#d3d9e5`, so that what stands back on a light ground does on a
 * dark one; makes other colours as much lighter as it takes to make them out there.
 */
export function onDark(colour: Colour, ground: number): Colour {
  const [red, green, blue, alpha] = colour;
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const lighter = (by: number): Colour => [
    Math.min(red + by, 255),
    Math.min(green + by, 255),
    Math.min(blue + by, 255),
    alpha,
  ];
  if (most - least < GREY) return lighter(255 - most - least);
  let by = 0;
  while (contrastOf(luminanceOf(lighter(by)), ground) < LEAST_CONTRAST) by++;
  return lighter(by);
}
