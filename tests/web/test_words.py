"""Every word of a screen stands in ``api/web/words``, and in a language whose words are longer nothing is cut off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from support.browser import DeskServed
from support.screens import SCREENS, open_screen

from api.web.words import load_words

SOURCES = Path("api/web/app/src")
PLAIN_PAGES = (Path("api/web/plain.py"), Path("api/web/own_page.py"), Path("api/web/patient_page.py"), Path("api/web/pages.py"))
SHOWN = ("aria-label", "placeholder", "title", "alt", "label", "aria-description", "aria-roledescription")
WORD = re.compile(r"[A-Za-z]{2,}")
TYPED = {"booking", "https"}
"""What is shown as an example of what is typed: the same in every language."""
SENTENCE = re.compile(r"""(['"`])[A-Z][a-z]+ [a-z]+ [^'"`\n]*\1""")
PSEUDO = "words=pseudo"
CUT_OFF = """() => {
    const scrolls = node => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
    const seen = box => box.width > 0 && box.height > 0;
    const faults = [];
    for (const part of document.querySelectorAll('header, nav, [role=toolbar], aside, dialog, main, .bar, .figures')) {
        const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
            if (!text.data.includes('~]') || text.parentElement.closest('[role=grid] .body, option, .hidden, svg')) continue;
            const range = document.createRange();
            range.selectNodeContents(text);
            const box = range.getBoundingClientRect();
            if (!seen(box)) continue;
            if (box.right > innerWidth + 1) faults.push(`beyond the screen: ${text.data}`);
            for (let node = text.parentElement; node && node !== document.body && !scrolls(node); node = node.parentElement) {
                if (getComputedStyle(node).display === 'inline') continue;
                const around = node.getBoundingClientRect();
                const inside = box.right <= around.right + 1 && box.left >= around.left - 1;
                if (!inside) faults.push(`out of ${node.tagName}.${node.className}: ${text.data}`);
                if (['absolute', 'fixed'].includes(getComputedStyle(node).position)) break;
            }
        }
    }
    if (document.documentElement.scrollWidth > innerWidth + 1) faults.push('the page scrolls sideways');
    return [...new Set(faults)];
}"""


def without(text: str, *patterns: str) -> str:
    for pattern in patterns:
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return text


def drop_expressions(text: str) -> str:
    """Return a text without what stands in braces."""
    depth, kept = 0, []
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if depth == 0 and letter != "}":
            kept.append(letter)
    return "".join(kept)


def list_words(source: str) -> list[str]:
    """Return the words that the markup of a component holds itself, as text or in what is read out."""
    markup = without(source, r"<script.*?</script>", r"<style.*?</style>", r"<!--.*?-->")
    attributes = [value for name in SHOWN for value in re.findall(rf'\b{name}="([^"]*)"', markup)]
    markup = re.sub(r"=>", "", drop_expressions(markup))
    texts = re.sub(r"<[^>]*>", "\n", markup)
    words = WORD.findall("\n".join([*(drop_expressions(value) for value in attributes), texts]))
    return [word for word in words if word not in TYPED]


@pytest.mark.parametrize("source", sorted(SOURCES.rglob("*.svelte")), ids=lambda path: path.stem)
def test_no_component_has_words_of_its_own(source: Path) -> None:
    assert list_words(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", sorted(SOURCES.rglob("*.ts")), ids=lambda path: path.stem)
def test_no_script_has_sentences_of_its_own(source: Path) -> None:
    assert SENTENCE.findall(without(source.read_text(encoding="utf-8"), r"//[^\n]*", r"/\*.*?\*/")) == []


@pytest.mark.parametrize("source", PLAIN_PAGES, ids=lambda path: path.stem)
def test_no_page_without_a_script_has_words_of_its_own(source: Path) -> None:
    texts = re.findall(
        r">([^<>{}\"'=]*[A-Za-z]{2,}[^<>{}\"'=]*)</", without(source.read_text(encoding="utf-8"), "<pre>.*?</pre>")
    )
    assert [text for text in texts if WORD.search(text)] == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Nothing waits</p>",
        '<button aria-label="Close">x</button>',
        "<p>{say('a.b')} points</p>",
    ],
)
def test_words_of_its_own_are_found(source: str) -> None:
    assert list_words(source)
    assert list_words("<p class=\"muted\" aria-label={say('a')}>{say('a.b')} · {count}</p><style>p { top: 0 }</style>") == []


def test_every_word_that_is_asked_for_is_there() -> None:
    page = load_words()["page"]
    asked = {path for source in SOURCES.rglob("*") if source.suffix in (".svelte", ".ts") for path in find_paths(source)}
    assert len(asked) > 300
    assert sorted(path for path in asked if not isinstance(find_words(page, path), str)) == []


def find_paths(source: Path) -> list[str]:
    return re.findall(r"\bsay\('([\w.-]+)'", source.read_text(encoding="utf-8"))


def find_words(words: Any, path: str) -> Any:
    for name in path.split("."):
        words = words.get(name) if isinstance(words, dict) else None
    return words


@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_is_cut_off_of_longer_words(page: Any, desk: DeskServed, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    cut = {}
    for screen in SCREENS:
        open_screen(page, desk, screen, PSEUDO)
        cut[screen] = page.evaluate(CUT_OFF)
    page.goto(f"{desk.address}/weeks/{desk.scenario.id}?{PSEUDO}")
    page.locator("[data-visit]").first.click()
    page.keyboard.press("w")
    page.keyboard.press("p")
    page.locator(".bar button:enabled").first.wait_for()
    cut["board"] = page.evaluate(CUT_OFF)
    assert {screen: found for screen, found in cut.items() if found} == {}


def test_what_is_cut_off_is_found(page: Any, desk: DeskServed) -> None:
    open_screen(page, desk, "tasks", PSEUDO)
    page.evaluate(
        "Object.assign(document.querySelector('h1').style, {width: '30px', whiteSpace: 'nowrap', overflow: 'hidden'})"
    )
    assert page.evaluate(CUT_OFF)
