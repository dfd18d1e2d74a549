"""Invented names: places from paired characters, people that nobody can take for real."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthetic.fields import stream

DISTRICT = "青禾区"
STREET_STEMS = ("青禾", "望田", "云溪")
COMMUNITY_STEMS = ("稻香",)

FIRST = (
    "稻青望云禾桑莲荷柳杏梅竹松枫桂兰菊葵芦蒲藕菱芹蓼棠榆槐樟"
    "银锦秀春夏秋晨暮朝星月霞虹岚霁晴雨雪露清澄碧翠丹紫素远宁和"
)
SECOND = (
    "香田溪泽浦塘湾园林岸洲屿岭坡川泉池潭湖港渡亭台阁廊庭"
    "野原畈圩堰埭垄畔涧渚汀沙石峰岗麓谷滩泊荡漾浜汇坞桥墩"
)
EXTRA = ("", "东", "西", "南", "北", "上", "下", "前", "后")
NUMERALS = "零一二三四五六七八九"
HEAVENLY_STEMS = "甲乙丙丁戊己庚辛壬癸"

DEPARTMENTS = (
    "示例综合执法队",
    "示例市政所",
    "示例环卫所",
    "示例交警中队",
    "示例市场监管所",
    "示例园林所",
)


def stems(count: int, *, random_state: int, topic: str, first: Sequence[str] = ()) -> list[str]:
    """Give distinct two-character place stems, such as 稻香.

    Parameters
    ----------
    count : int
        How many stems.
    random_state : int
        The city's random state.
    topic : str
        What is named; each topic has its own order.
    first : sequence of str
        Stems to begin with.

    Returns
    -------
    list of str
        `count` different stems; past the pool of pairs, with a third character.
    """
    taken = {*STREET_STEMS, *COMMUNITY_STEMS}
    pairs = [a + b for a in FIRST for b in SECOND if a != b and a + b not in taken]
    order = stream(random_state, f"names-{topic}").permutation(len(pairs))
    pool = [pairs[i] for i in order]
    wanted = max(count - len(first), 0)
    if wanted > len(pool) * len(EXTRA):
        raise ValueError(f"{topic}: {count} names asked, {len(pool) * len(EXTRA)} can be made")
    drawn = [pool[i % len(pool)] + EXTRA[i // len(pool)] for i in range(wanted)]
    return [*first, *drawn][:count]


def numeral(number: int) -> str:
    """Write a number from 1 to 99 in Chinese numerals; larger ones stay in digits."""
    tens, ones = divmod(number, 10)
    if not 0 <= tens < len(NUMERALS):
        return str(number)
    head = "" if tens == 0 else "十" if tens == 1 else NUMERALS[tens] + "十"
    return head + (NUMERALS[ones] if ones else "")


def members(count: int) -> list[str]:
    """Name grid members: 样例甲001, 样例乙002, ..."""
    return [f"样例{HEAVENLY_STEMS[i % 10]}{i + 1:03d}" for i in range(count)]


def leads(count: int, *, start: int = 1) -> list[str]:
    """Name persons in the lead: 示例员001, 示例员002, ..."""
    return [f"示例员{i:03d}" for i in range(start, start + count)]


def phones(count: int) -> list[str]:
    """Give phones of an exchange that does not exist: 000-0000-0017."""
    return [f"000-{i // 10000:04d}-{i % 10000:04d}" for i in range(1, count + 1)]


def departments(rng: np.random.Generator, count: int, *, empty: float) -> list[str]:
    """Draw co-operating departments, a share `empty` of them blank."""
    drawn = rng.integers(0, len(DEPARTMENTS), count)
    blank = rng.random(count) < empty
    return ["" if b else DEPARTMENTS[d] for d, b in zip(drawn, blank, strict=True)]
