"""Write the reference in docs/, from the catalogue and the records of a city file, and its schema.

With --check, only tell whether they are true.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gridmap.catalog import Layer, load_catalog
from gridmap.keys import Section, city_schema, meanings, sections, toml_text
from gridmap.messages import unit_label

ROOT = Path(__file__).parent.parent
INTRODUCTION = {
    "en": "# Layers\n\nMade by `scripts/build_docs` from `layers/*.toml`. "
    "Fields in *italics* are computed.",
    "zh": "# 图层\n\n由 `scripts/build_docs` 根据 `layers/*.toml` 生成。*斜体*字段由程序计算。",
}
HEADS = {
    "en": "| field | type | unit | label | description |",
    "zh": "| 字段 | 类型 | 单位 | 标签 | 说明 |",
}
CITY = {
    "en": """# The city file

[中文](city.zh.md)

Made by `scripts/build_docs`. A city file is TOML; keys with (!) must be given. Paths start from
the folder that it lies in.

An editor that knows JSON schemas (VS Code with Even Better TOML, or anything with taplo) completes
keys, shows what they mean in English and Chinese, and marks mistakes. Put the schema beside the
city file and name it in its first line:

    gridmap schema > city.schema.json

    #:schema city.schema.json""",
    "zh": """# 城市文件

[English](city.md)

由 `scripts/build_docs` 生成。城市文件为 TOML；带 (!) 的键必填。路径相对于城市文件所在文件夹。

支持 JSON Schema 的编辑器（装有 Even Better TOML 的 VS Code，或任何支持 taplo 的编辑器）
可补全键名、以中英文显示含义并标出错误。
请把模式文件放在城市文件旁，并在其首行注明：

    gridmap schema > city.schema.json

    #:schema city.schema.json""",
}
KEY_HEADS = {
    "en": "| key | type | unit | default | example | description |",
    "zh": "| 键 | 类型 | 单位 | 默认 | 示例 | 说明 |",
}
HEAD_OF_FILE = {"en": "Head of the file", "zh": "文件开头"}
FORMERLY = {"en": "; called `{}` once, which is still read", "zh": "；旧名 `{}` 仍可读取"}
TYPES = {
    "string": {"en": "text", "zh": "文本"},
    "integer": {"en": "whole number", "zh": "整数"},
    "number": {"en": "number", "zh": "数值"},
    "boolean": {"en": "true or false", "zh": "true 或 false"},
    "object": {"en": "table", "zh": "键值表"},
    "array": {"en": "list of {}", "zh": "列表：{}"},
    "moment": {"en": "time", "zh": "时间"},
    "or": {"en": " or ", "zh": "或"},
    "of": {"en": "table of {}", "zh": "键值表：{}"},
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


def city_reference(lang: str) -> str:
    """Return the reference of the city file in one language, as Markdown."""
    schema = city_schema()
    parts = ["\n".join(keys_of(each, schema, lang)) for each in sections()]
    return "\n\n".join([CITY[lang], *parts]) + "\n"


def keys_of(part: Section, schema: Mapping[str, Any], lang: str) -> Iterator[str]:
    """Yield the lines on the keys of one record."""
    name = part.record.__name__
    known = schema if name == "CityFile" else schema["definitions"][name]
    places = ", ".join(f"`{place}`" for place in part.places if place)
    yield f"## {places or HEAD_OF_FILE[lang]}"
    yield ""
    yield KEY_HEADS[lang]
    yield "|---|---|---|---|---|---|"
    former = {json.dumps(each): key for key, each in known["properties"].items()}
    for key, field in part.fields.items():
        meaning, prop = meanings()[name][key], known["properties"][key]
        default = toml_text(field.get_default(call_default_factory=True))
        told = meaning.get(lang)
        once = former.get(json.dumps({**prop, "deprecated": True}))
        cells = (
            f"`{key}`" + (" (!)" if field.is_required() else ""),
            type_text(prop, lang),
            unit_label(meaning.unit, lang),
            "" if field.is_required() else code(default),
            "<br>".join(code(line) for line in meaning.example.strip().splitlines()),
            told + (FORMERLY[lang].format(once) if once else ""),
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def code(text: str) -> str:
    """Return a text as code, or nothing."""
    return f"`{text}`" if text else ""


def type_text(prop: Mapping[str, Any], lang: str) -> str:
    """Return what a key takes, in words."""
    if "anyOf" in prop:
        return TYPES["or"][lang].join(type_text(each, lang) for each in prop["anyOf"])
    if "enum" in prop:
        return ", ".join(code(f'"{each}"') for each in prop["enum"] if each)
    if "pattern" in prop and prop["pattern"].startswith(r"^\d{4}"):
        return TYPES["moment"][lang]
    kind = prop.get("type", "object")
    if kind == "array":
        items = prop["items"][0] if isinstance(prop["items"], list) else prop["items"]
        return TYPES[kind][lang].format(type_text(items, lang))
    if isinstance(kind, list):
        kind = kind[0]
    if isinstance(prop.get("additionalProperties"), dict):
        return TYPES["of"][lang].format(type_text(prop["additionalProperties"], lang))
    return f"{TYPES[kind][lang]}{bounds(prop)}"


def bounds(prop: Mapping[str, Any]) -> str:
    """Return the limits of a number as a text that follows its type."""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign} {prop[key]:g}" for key, sign in signs.items() if key in prop]
    return f" {', '.join(said)}" if said else ""


def made() -> dict[str, str]:
    """Return every file that is made, by its path from the folder of the project on."""
    schema = json.dumps(city_schema(), indent=2, ensure_ascii=False) + "\n"
    files = {"data/city.schema.json": schema}
    for lang, end in (("en", "md"), ("zh", "zh.md")):
        files[f"docs/reference/layers.{end}"] = reference(lang)
        files[f"docs/reference/city.{end}"] = city_reference(lang)
    return files


def main() -> int:
    """Write or check; the exit code tells whether the files were true."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, text in made().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"not true: {', '.join(stale)}; run scripts/build_docs")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
