/** Breaks a text into lines of about the same length, at spaces where there are any. */
export function breakText(text: string, count: number): string[] {
  const parts = text.includes(" ") ? text.split(/(?<= )/) : [...text];
  const lines: string[] = [];
  let left = parts.reduce((sum, part) => sum + part.length, 0);
  let line = "";
  for (const part of parts) {
    const aim = left / (count - lines.length);
    if (line && lines.length < count - 1 && line.length + part.length / 2 > aim) {
      lines.push(line.trim());
      left -= line.length;
      line = "";
    }
    line += part;
  }
  return [...lines, line.trim()];
}
