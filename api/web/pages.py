"""What a browser is given first: the desk's application as it was built, or a page that says how to go on."""

from __future__ import annotations

from html import escape
from pathlib import Path

from api.web.plain import ICON
from api.web.words import load_words

DIST = Path(__file__).parent / "dist"
"""Where the build of :mod:`api.web.build_hook` puts the application."""

BEGINNINGS = {
    "roster": "clinicweave roster clinic.json",
    "intake": "clinicweave intake template referrals.xlsx && clinicweave intake import referrals.xlsx",
    "demo": "clinicweave demo",
}
"""Commands by which a store gets its first contents, by what each is for."""


def find_file(folder: Path, name: str) -> Path | None:
    """Return a file that lies directly in a folder; None for every other name, whatever it would lead to."""
    return next((file for file in folder.iterdir() if file.name == name and file.is_file()), None) if folder.is_dir() else None


def make_first_run_page() -> str:
    """Return the page of a service that knows no clinic yet: how to begin."""
    words = load_words()["first_run"]
    ways = "".join(f"<p>{escape(words[way])}</p><pre>{escape(command)}</pre>" for way, command in BEGINNINGS.items())
    return _make_page(words["title"], f"<p>{escape(words['lead'])}</p>{ways}<p>{escape(words['after'])}</p>")


def make_missing_page() -> str:
    """Return the page of a service that was installed without its pages: why, and how to get them."""
    words = load_words()["no_pages"]
    how = f"<p>{escape(words['how'])}</p><pre>pip install -e .</pre>"
    return _make_page(words["title"], f"<p>{escape(words['lead'])}</p>{how}")


def _make_page(title: str, body: str) -> str:
    style = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}"
    style += "pre{padding:.6rem .8rem;border:1px solid;border-radius:.4rem;overflow:auto}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{ICON}<title>{escape(title)}</title><style>{style}</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
