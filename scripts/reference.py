"""Write the reference in docs/ from the catalogue; with --check, only tell whether it is true."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from gridmap.catalog import Layer, load_catalog
from gridmap.messages import unit_label

DOCS = Path(__file__).parent.parent / "docs"
INTRODUCTION = {
    "en": "# Layers\n\nMade by `scripts/build_docs` from `layers/*.toml`. "
    "Fields in *italics* are computed.",
    "zh": "# 图层\n\n由 `scripts/build_docs` 根据 `layers/*.toml` 生成。*斜体*字段由程序计算。",
}
HEADS = {
    "en": "| field | type | unit | label | description |",
    "zh": "| 字段 | 类型 | 单位 | 标签 | 说明 |",
}


def reference(lang: str) -> str:
    """Return the layer reference in one language, as Markdown."""
    parts = [INTRODUCTION[lang]]
    parts += ["\n".join(section(layer, lang)) for layer in load_catalog().in_order]
    return "\n\n".join(parts) + "\n"


def section(layer: Layer, lang: str) -> Iterator[str]:
    """Yield the lines on one layer."""
    yield f"## `{layer.name}`: {layer.title.get(lang)}"
    yield ""
    yield f"{layer.description.get(lang)}. {layer.geometry}, {layer.role}."
    yield ""
    yield HEADS[lang]
    yield "|---|---|---|---|---|"
    for name, field in layer.fields.items():
        shown = f"*`{name}`*" if field.derived else f"`{name}`" + (" (!)" if field.required else "")
        kinds = f": {', '.join(field.categories)}" if field.categories else ""
        unit = unit_label(field.unit, lang)
        label, description = field.label.get(lang), field.description.get(lang)
        yield f"| {shown} | {field.type}{kinds} | {unit} | {label} | {description} |"


def main() -> int:
    """Write or check; the exit code tells whether the files were true."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for lang, name in (("en", "layers.md"), ("zh", "layers.zh.md")):
        path, text = DOCS / "reference" / name, reference(lang)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"docs/reference is not true: {', '.join(stale)}; run scripts/build_docs")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
