"""Pages made by the service: whole without a script, one column, readable on a phone and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files
from urllib.parse import quote

import segno

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">'
    '<rect width="32" height="32" rx="7" fill="#1f4e79"/>'
    '<path d="M6 10h9M18 10h8M6 16h5M6 22h12M21 22h5" stroke="#fff" stroke-width="3.4" stroke-linecap="round"/>'
    '<path d="M14 16h12" stroke="#eedd88" stroke-width="3.4" stroke-linecap="round"/></svg>'
)
ICON = f'<link rel="icon" href="data:image/svg+xml,{quote(LOGO)}">'
"""The logo in the head of a page: without it a browser asks for one that is not there."""


@cache
def load_style() -> str:
    """Return the style of these pages."""
    return files("api.web").joinpath("plain.css").read_text(encoding="utf-8")


def make_page(title: str, heading: str, body: str, *, is_wide: bool = False) -> str:
    """Return a page; ``title`` and ``heading`` (what stands at its top) are text, ``body`` is HTML."""
    wide = " wide" if is_wide else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
        f'<meta name="robots" content="noindex">{ICON}<title>{escape(title)}</title><style>{load_style()}</style></head>'
        f'<body><header class="top{wide}">{LOGO}<span>{escape(heading)}</span></header>'
        f'<main class="{wide.strip()}">{body}</main></body></html>\n'
    )


def make_card(*parts: str, kind: str = "", name: str | None = None) -> str:
    """Return a card of some HTML; one with a ``name`` begins with it as its heading."""
    heading = "" if name is None else f"<h2>{escape(name)}</h2>"
    return f'<section class="card {kind}">{heading}{"".join(parts)}</section>'


def make_list(entries: Iterable[str]) -> str:
    """Return texts as a list."""
    return f"<ul>{''.join(f'<li>{escape(entry)}</li>' for entry in entries)}</ul>"


def make_alert(fault: str) -> str:
    """Return what says why something was not done; nothing without a fault."""
    return f'<p class="bad" role="alert">{escape(fault)}</p>' if fault else ""


def make_password_field(label: str) -> str:
    """Return the field for the password of the account."""
    return f'<label>{escape(label)}<input name="password" type="password" autocomplete="current-password" required></label>'


def make_form(action: str, button: str, fields: dict[str, str], *, inside: str = "", is_primary: bool = False) -> str:
    """Return a form with one button, which posts some fields; ``inside`` is HTML before the button."""
    hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items())
    kind = ' class="primary"' if is_primary else ""
    return f'<form method="post" action="{escape(action)}">{hidden}{inside}<button{kind}>{escape(button)}</button></form>'


def make_code_image(text: str, label: str) -> str:
    """Return a text as a QR code."""
    code = segno.make(text, error="m", micro=False).svg_inline(scale=4, border=0, omitsize=True, dark="#000", svgclass=None)
    return f'<div class="qr" role="img" aria-label="{escape(label)}">{code}</div>'
