"""The page that describes the API for people, made of its OpenAPI document: one page, no script, nothing from elsewhere.

References
----------
OpenAPI Specification 3.1.0, sections 4.8.8 (path items) and 4.8.24 (schemas).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from api.web.plain import ICON
from api.web.words import load_words

Document = Mapping[str, Any]

REFERENCE = "#/components/schemas/"
PROBLEM = 400
"""Statuses from which on answers are problems."""

STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:64rem;padding:1rem;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1rem;list-style:none;padding:0}
details{border:1px solid;border-radius:.4rem;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}
summary code:first-child{display:inline-block;font-weight:700;min-width:4.5rem}
pre{border:1px solid;border-radius:.4rem;max-height:24rem;overflow:auto;padding:.6rem .8rem;white-space:pre-wrap}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid;padding:.2rem .6rem .2rem 0;text-align:left;vertical-align:top}
"""


def make_api_page(document: Document) -> str:
    """Return the page: every route by subject, with who may use it, what it takes and answers, and an example of each."""
    words, tags = load_words()["api_page"], dict[str, list[str]]()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tags.setdefault(operation["tags"][0], []).append(_make_operation(method, path, operation, words))
    contents = "".join(f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in tags)
    routes = "".join(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>{"".join(each)}' for tag, each in tags.items())
    schemas = "".join(_make_schema(name, schema, words) for name, schema in sorted(document["components"]["schemas"].items()))
    title, shapes = escape(words["title"]), escape(words["shapes"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{ICON}<title>{title}</title><style>{STYLE}</style></head><body><header><h1>{title}</h1>"
        f'<p>{escape(words["lead"])} <a href="/openapi.json">openapi.json</a></p></header>'
        f'<nav aria-label="{escape(words["contents"])}"><ul>{contents}<li><a href="#shapes">{shapes}</a></li></ul></nav>'
        f'<main>{routes}<h2 id="shapes">{shapes}</h2>{schemas}</main></body></html>\n'
    )


def describe_type(schema: Document) -> str:
    """Return what a schema allows, in HTML: ``list of Change or null``."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(REFERENCE)
        return f'<a href="#{escape(name)}">{escape(name)}</a>'
    for kinds in ("anyOf", "oneOf"):
        if kinds in schema:
            return " or ".join(dict.fromkeys(describe_type(kind) for kind in schema[kinds]))
    if "enum" in schema or "const" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {describe_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {describe_type(schema['additionalProperties'])}"
    return escape(str(schema.get("format", kind)))


def _make_operation(method: str, path: str, operation: Document, words: Mapping[str, str]) -> str:
    parts = [f"<p>{escape(operation.get('description', ''))}</p>"]
    roles = operation.get("x-roles")
    who = words["everybody"] if roles is None else ", ".join(f"{role} ({words[scope]})" for role, scope in roles.items())
    parts.append(f"<p>{escape(words['who'])}: {escape(who)}</p>")
    parts += _make_parameters(operation.get("parameters", []), words)
    body = operation.get("requestBody", {}).get("content", {})
    parts += [f"<h4>{escape(words['body'])}</h4>{_describe_content(content)}" for content in [body] if content]
    for status, answer in operation["responses"].items():
        if _is_success(status):
            parts.append(f"<h4>{escape(status)} {escape(answer['description'])}</h4>")
            parts.append(_describe_content(answer.get("content", {})))
    problems = [status for status in operation["responses"] if not _is_success(status)]
    if problems:
        parts.append(f'<p>{escape(words["problems"])}: {escape(", ".join(problems))} (<a href="#Problem">Problem</a>)</p>')
    name, lead = f"{method.upper()} {path}", operation.get("description", "").partition(". ")[0]
    summary = f"<code>{escape(method.upper())}</code> <code>{escape(path)}</code> {escape(lead)}"
    return f'<details id="{_anchor(name)}"><summary>{summary}</summary>{"".join(parts)}</details>'


def _make_parameters(parameters: list[Document], words: Mapping[str, str]) -> Iterator[str]:
    if not parameters:
        return
    yield f"<table><thead><tr><th>{escape(words['parameter'])}</th><th>{escape(words['in'])}</th>"
    yield f"<th>{escape(words['type'])}</th><th>{escape(words['meaning'])}</th></tr></thead><tbody>"
    for given in parameters:
        yield f"<tr><td><code>{escape(given['name'])}</code></td><td>{escape(given['in'])}</td>"
        yield f"<td>{describe_type(given['schema'])}</td><td>{escape(given.get('description', ''))}</td></tr>"
    yield "</tbody></table>"


def _describe_content(content: Document) -> str:
    """Return what a body or an answer may be, by media type, with its example."""
    parts = []
    for media, form in content.items():
        schema = form.get("schema", {})
        shape = f": {describe_type(schema)}" if schema else ""
        parts.append(f"<p>{escape(media)}{shape}</p>")
        if "example" in form:
            parts.append(_write_example(form["example"]))
    return "".join(parts)


def _make_schema(name: str, schema: Document, words: Mapping[str, str]) -> str:
    rows, required = [], schema.get("required", [])
    for field, form in schema.get("properties", {}).items():
        optional = "" if field in required else f" {escape(words['optional'])}"
        rows.append(f"<tr><td><code>{escape(field)}</code>{optional}</td><td>{describe_type(form)}</td>")
        rows.append(f"<td>{escape(form.get('description', ''))}</td></tr>")
    table = f"<table><tbody>{''.join(rows)}</tbody></table>" if rows else f"<p>{describe_type(schema)}</p>"
    examples = "".join(_write_example(example) for example in schema.get("examples", []))
    summary, about = f"<summary><code>{escape(name)}</code></summary>", escape(schema.get("description", ""))
    return f'<details id="{escape(name)}">{summary}<p>{about}</p>{table}{examples}</details>'


def _write_example(example: Any) -> str:
    text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _is_success(status: str) -> bool:
    """Return whether a status, or ``default``, is that of an answer, and not of a problem."""
    return status.isdecimal() and int(status) < PROBLEM


def _anchor(text: str) -> str:
    """Return a text as the id of a part of the page, and as an address of it."""
    return escape("".join(letter if letter.isalnum() else "-" for letter in text.lower()))
