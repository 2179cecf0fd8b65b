"""
Build the font files in animate/drawing/fonts from the variable font IBM Plex Sans.

No font on the package index serves as it is: matplotlib applies no variable axes and no OpenType
features, and reads kerning from the table "kern" only, which current fonts do not have. So this
script makes two static fonts, slightly narrow and slightly heavy for text of 9 to 12 pixels, with
the kerning of the original in that table. The licence reserves the original's name, so they have
another.

Usage: PYTHON=/path/to/python3 scripts/typeface, with fontpkg-ibm-plex-sans 3.201 and fonttools
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from fontTools.varLib import instancer

FOLDER = Path(__file__).parents[1] / "animate" / "drawing" / "fonts"
SOURCE = "fontpkg_ibm_plex_sans"
FAMILY = "Animate Sans"
WIDTH = 93  # percent of the normal width
STYLES = {"Regular": 420, "Bold": 650}
# The table holds 10,920 pairs, too few for all letters of Europe.
KERNED = {chr(code) for code in range(0x20, 0x100)} | set("’‘”“–—…−")
CHECK_MARK = 0x2713  # drawn as thin as a root; the fallback has a heavier one
LEAST_KERNING = 6  # units of 1/1000 em; less does not show
KEPT_TABLES = {
    "GlyphOrder", "head", "hhea", "maxp", "OS/2", "hmtx", "cmap", "loca", "glyf", "name", "post",
    "kern",
}  # fmt: skip


def main() -> None:
    package = files(SOURCE)
    for style, weight in STYLES.items():
        with (package / "files" / "IBMPlexSans[wdth,wght].ttf").open("rb") as source:
            font = build(TTFont(source, recalcTimestamp=False), style, weight)
        path = FOLDER / f"AnimateSans-{style}.ttf"
        font.save(path)
        print(path, path.stat().st_size, "bytes")
    licence = (package / "LICENSE").read_text()
    (FOLDER / "OFL.txt").write_text(licence)


def build(variable: TTFont, style: str, weight: int) -> TTFont:
    """Return the static font of a variable one, with its kerning in a table of pairs."""
    font = instancer.instantiateVariableFont(variable, {"wght": weight, "wdth": WIDTH})
    pairs = kerning(font)
    options = subset.Options(
        hinting=False, layout_features=[], glyph_names=False, notdef_outline=True
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=set(font.getBestCmap()) - {CHECK_MARK})
    subsetter.subset(font)
    font["kern"] = kern_table(pairs)
    for tag in list(font.keys()):
        if tag not in KEPT_TABLES:
            del font[tag]
    rename(font, style)
    font["OS/2"].usWeightClass = 700 if style == "Bold" else 400
    font["OS/2"].usWidthClass = 5
    return font


def kerning(font: TTFont) -> dict[tuple[str, str], int]:
    """Return the kerning of the characters `KERNED`, in units, by pairs of glyph names."""
    names = {name for code, name in font.getBestCmap().items() if chr(code) in KERNED}
    table = font["GPOS"].table
    lookups = {
        index
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "kern"
        for index in record.Feature.LookupListIndex
    }
    pairs: dict[tuple[str, str], int] = {}
    for index in sorted(lookups):
        found: dict[tuple[str, str], int] = {}
        for sub in table.LookupList.Lookup[index].SubTable:
            for pair, value in pairs_of(getattr(sub, "ExtSubTable", sub), names):
                found.setdefault(pair, value)  # the first subtable that has a pair decides
        for pair, value in found.items():
            pairs[pair] = pairs.get(pair, 0) + value
    return {pair: value for pair, value in pairs.items() if abs(value) >= LEAST_KERNING}


def pairs_of(sub: Any, names: set[str]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the pairs of a subtable of pair positioning, whether by glyphs or by classes."""
    firsts = [name for name in sub.Coverage.glyphs if name in names]
    if sub.Format == 1:
        sets = dict(zip(sub.Coverage.glyphs, sub.PairSet, strict=True))
        for first in firsts:
            for record in sets[first].PairValueRecord:
                if record.SecondGlyph in names:
                    yield (first, record.SecondGlyph), advance(record.Value1)
        return
    for first in firsts:
        records = sub.Class1Record[sub.ClassDef1.classDefs.get(first, 0)].Class2Record
        for second in sorted(names):
            value = records[sub.ClassDef2.classDefs.get(second, 0)].Value1
            yield (first, second), advance(value)


def advance(value: Any) -> int:
    return getattr(value, "XAdvance", 0) or 0


def kern_table(pairs: dict[tuple[str, str], int]) -> Any:
    """Return a table "kern" of one subtable."""
    table, sub = newTable("kern"), KernTable_format_0()
    sub.coverage, sub.apple, sub.format, sub.kernTable = 1, False, 0, pairs
    assert len(pairs) <= 10_920, f"{len(pairs)} pairs do not fit"
    table.version, table.kernTables = 0, [sub]
    return table


def rename(font: TTFont, style: str) -> None:
    """Give the font its own name, and keep its notices of copyright and licence."""
    kept = [record for record in font["name"].names if record.nameID in (0, 7, 13, 14)]
    font["name"].names = [record for record in kept if record.platformID == 3]
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    for number, text in (
        (1, FAMILY), (2, style), (3, postscript), (4, f"{FAMILY} {style}"), (6, postscript),
        (10, f"A static, kerned version of IBM Plex Sans, {WIDTH} % wide"),
        (13, "SIL Open Font License, Version 1.1"), (14, "https://openfontlicense.org"),
    ):  # fmt: skip
        font["name"].setName(text, number, 3, 1, 0x409)
    font["head"].macStyle = int(style == "Bold")
    selection = font["OS/2"].fsSelection & ~0b1100001
    font["OS/2"].fsSelection = selection | (0b100000 if style == "Bold" else 0b1000000)


if __name__ == "__main__":
    main()
