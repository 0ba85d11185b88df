"""Drawing primitives: SVG elements in millimetres, written with a real XML writer so that every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

NAMESPACE = "http://www.w3.org/2000/svg"
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
INK = "#1a1a1a"
CONTROLS = {code: None for code in range(32)} | {code: None for code in (127, 0xFFFE, 0xFFFF)}

WIDTHS = {"MW@%—…": 0.95, "mw": 0.84, "iljI.,:;|'() ": 0.34}
UPPER_EM, LOWER_EM = 0.73, 0.56
"""Widths of characters over the size of the type, from above, in Helvetica and its kin; a bold face adds to them."""

BOLD = 1.05


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Estimate the width of a text from above, in the unit of ``size``."""
    return sum(_ems(character) for character in text) * size * (BOLD if bold else 1.0)


def _ems(character: str) -> float:
    special = next((width for characters, width in WIDTHS.items() if character in characters), None)
    return special if special is not None else UPPER_EM if character.isupper() else LOWER_EM


def fitting(texts: Iterable[str], width: float, sizes: tuple[float, float], bold: bool = False) -> tuple[str, float] | None:
    """Return the first text that fits a width, at the largest size of ``(least, most)``; None when none does."""
    least, most = sizes
    for text in texts:
        if text and (needed := text_width(text, 1.0, bold)) * least <= width:
            return text, min(most, width / needed)
    return None


def mm(value: float) -> str:
    """Write a length with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


class Drawing:
    """An SVG picture of a size in millimetres, whose user unit is the millimetre."""

    def __init__(self, width: float, height: float, title: str) -> None:
        size = {"width": f"{mm(width)}mm", "height": f"{mm(height)}mm", "viewBox": f"0 0 {mm(width)} {mm(height)}"}
        self.root = ElementTree.Element("svg", {"xmlns": NAMESPACE, **size, "font-family": FONTS, "fill": INK})
        self.into = self.root
        self.add("title").text = title.translate(CONTROLS)
        self.rect(0, 0, width, height, "#ffffff")

    def add(self, tag: str, **attributes: str) -> ElementTree.Element:
        """Append an element; underscores in attribute names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        return ElementTree.SubElement(self.into, tag, named)

    def group(self, title: str) -> None:
        """Start a group with a title, which viewers show under the pointer; what follows goes into it."""
        self.into = self.root
        self.into = self.add("g")
        self.add("title").text = title.translate(CONTROLS)

    def end_group(self) -> None:
        """End the group."""
        self.into = self.root

    def rect(self, x: float, y: float, width: float, height: float, fill: str, **attributes: str) -> None:
        """Draw a rectangle."""
        self.add("rect", x=mm(x), y=mm(y), width=mm(width), height=mm(height), fill=fill, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, **attributes: str) -> None:
        """Draw a line."""
        ends = {"x1": mm(x1), "y1": mm(y1), "x2": mm(x2), "y2": mm(y2)}
        self.add("line", **ends, stroke=stroke, stroke_width=mm(width), **attributes)

    def text(self, x: float, y: float, text: str, size: float, **attributes: str) -> None:
        """Write a text with its baseline at ``y``."""
        self.add("text", x=mm(x), y=mm(y), font_size=mm(size), **attributes).text = text.translate(CONTROLS)

    def hatch(self, name: str, colour: str) -> str:
        """Define a pattern of slanted lines on white, and return the fill that uses it."""
        pattern = ElementTree.SubElement(
            ElementTree.SubElement(self.root, "defs"),
            "pattern",
            {"id": name, "width": "1.2", "height": "1.2", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"},
        )
        ElementTree.SubElement(pattern, "rect", {"width": "1.2", "height": "1.2", "fill": "#ffffff"})
        ElementTree.SubElement(pattern, "rect", {"width": "0.6", "height": "1.2", "fill": colour})
        return f"url(#{name})"

    def to_bytes(self) -> bytes:
        """Return the picture as a file's bytes."""
        ElementTree.indent(self.root, space="")
        content: bytes = ElementTree.tostring(self.root, encoding="utf-8", xml_declaration=True)
        return content + b"\n"


def shortened(text: str) -> Iterator[str]:
    """Yield a text and ever shorter beginnings of it."""
    yield text
    yield from (text[:length].rstrip() + "…" for length in range(len(text) - 1, 0, -1))
