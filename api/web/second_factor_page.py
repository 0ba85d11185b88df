"""The page on which somebody of the staff sets up the second factor of their own account."""

from __future__ import annotations

from html import escape
from typing import Literal

from api.web.plain import make_alert, make_card, make_code_image, make_form, make_page, make_password_field
from api.web.words import load_words

ADDRESS = "/me/second-factor"

State = Literal["on", "off", "elsewhere"]
"""Whether the account has a second factor, has none, or is the identity provider's to guard."""


def make_state_page(name: str, state: State, is_needed: bool = False, fault: str = "") -> str:
    """Return the page that tells how an account is guarded; ``is_needed``: nothing else is open to it before that."""
    words = load_words()["second_factor"]
    parts = [f"<p>{escape(words[state])}</p>"]
    if is_needed:
        parts.insert(0, f"<p><b>{escape(words['needed'])}</b></p>")
    if state == "off":
        form = make_form(ADDRESS, words["begin"], {}, inside=make_password_field(words["password"]), is_primary=True)
        parts += [make_alert(fault), f'<div class="actions">{form}</div>']
    return _make_page(name, make_card(*parts, kind="good" if state == "on" else ""), is_open=not is_needed)


def make_set_up_page(name: str, secret: str, address: str, fault: str = "") -> str:
    """Return the page that tells a new secret, to scan or to copy, and asks for its first code."""
    words = load_words()["second_factor"]
    scanned = f'<div class="row">{make_code_image(address, words["qr"])}<p class="muted">{escape(words["qr_how"])}</p></div>'
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    copied = f'<label>{escape(words["secret"])}<input readonly value="{escape(spaced)}"></label>'
    asked = (
        f"<label>{escape(words['code'])}"
        f'<input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="10" autofocus></label>'
    )
    form = make_form(f"{ADDRESS}/code", words["confirm"], {"secret": secret}, inside=asked, is_primary=True)
    tried = make_card(make_alert(fault), f'<div class="actions">{form}</div>', name=words["try"])
    return _make_page(name, make_card(scanned, copied, name=words["scan"]) + tried)


def _make_page(name: str, body: str, is_open: bool = False) -> str:
    words = load_words()["second_factor"]
    back = f'<p><a href="/me">{escape(words["back"])}</a></p>' if is_open else ""
    leave = make_form("/me/leaving", words["log_out"], {})
    parts = f'<h1>{escape(words["title"])}</h1>{body}<div class="row">{back}{leave}</div>'
    return make_page(words["title"], name, parts)
