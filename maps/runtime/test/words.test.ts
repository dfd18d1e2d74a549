import assert from "node:assert/strict";
import { test } from "node:test";
import { toCsv } from "../src/download";
import { breakText } from "../src/linebreaks";
import { fill, inLanguage } from "../src/words";

test("a text is said in the language asked for, or in the first it has", () => {
  const words = { en: "Grid", "zh-Hans": "网格" };
  assert.equal(inLanguage(words, "zh-Hans"), "网格");
  assert.equal(inLanguage(words, "fr"), "Grid");
  assert.equal(inLanguage("Grid", "zh-Hans"), "Grid");
  assert.equal(inLanguage({}, "en"), "");
});

test("holes of a text are filled once, and those without a value stay", () => {
  assert.equal(fill("{a} of {b}", { a: "{b}", b: "2" }), "{b} of 2");
  assert.equal(fill("{a} {c}", { a: "1" }), "1 {c}");
});

test("a text breaks at spaces into lines of about the same length", () => {
  assert.deepEqual(breakText("North Station Road", 2), ["North", "Station Road"]);
  assert.deepEqual(breakText("North Station", 1), ["North Station"]);
});

test("a text without spaces breaks between characters", () => {
  assert.deepEqual(breakText("人民广场网格", 2), ["人民广", "场网格"]);
  assert.equal(breakText("人民广场网格", 3).join(""), "人民广场网格");
});

test("a table as CSV has a mark of its coding, and quotes what needs it", () => {
  assert.equal(
    toCsv([
      ["a", "b"],
      [1.5, 'say "x", now'],
    ]),
    '\ufeffa,b\r\n1.5,"say ""x"", now"\r\n',
  );
});

test("no text of a table runs as a formula; numbers stay numbers", () => {
  const [line] = toCsv([["=1+1", "@x", "-2", -2]])
    .slice(1)
    .split("\r\n");
  assert.equal(line, "'=1+1,'@x,'-2,-2");
});
