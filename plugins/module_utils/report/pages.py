# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pages made by Jinja2: HTML in which every value is escaped, Markdown in which every value is one line of text.

Templates are texts in Python: for a module under another Python, Ansible ships no other files of a collection.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sys
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import own_temporary_folder
from .style import STYLE

if t.TYPE_CHECKING:
    import jinja2

# What XML cannot hold, and what turns the direction of the text around it.
UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# What Markdown or HTML would take for more than text.
SIGNIFICANT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", **{sign: f"\\{sign}" for sign in "\\|`*_[]#~"}})

# A page that needs nothing else, no network and no script, and is well-formed XML behind its first line. Whatever a
# name or a log may smuggle in, the page loads and runs nothing.
LAYOUT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<header>
<span class="badge {{ "good" if good else "bad" }}">{{ "\u2713" if good else "\u2715" }} {{ outcome }}</span>
<h1>{% block heading %}{{ title }}{% endblock %}</h1>
<dl class="facts">
{% for name, value in facts if value %}
<div{% if value|string|length > 40 %} class="long"{% endif %}><dt>{{ name }}</dt>
<dd><bdi>{{ value|soft }}</bdi></dd></div>
{% endfor %}
</dl>
</header>
{% block main %}{% endblock %}
<footer>Written by llm_d.orchestrator. Secrets are masked. {{ data }} beside it has all the data.</footer>
</main>
</body>
</html>
"""

# For all templates; a table without rows is left out. A cell is a value, or {text, style, href}; a longer text says no
# more to a reader, and the data beside the page have all of it.
HTML_PARTS = """\
{% macro table(title, columns, rows, class) %}
{% if rows %}
<section><h2>{{ title }}</h2>
<div class="table{{ " pairs" if columns|length < 3 }}" role="region" aria-label="{{ title }}" tabindex="0">
<table class="{{ class }}">
<thead><tr>{% for name in columns %}<th scope="col" class="{{ name|kind }}">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>
{% for value in row %}
{% set name, cell = columns[loop.index0], value if value is mapping else {"text": value} %}
{% set text, href = cell["text"]|cut(600), cell["href"] %}
<td class="{{ cell["style"] or name|kind }}" data-name="{{ name }}">{% if href %}<a href="{{ href }}">{% endif %}
{%- if text %}<bdi>{{ text|soft }}</bdi>{% endif %}{% if href %}</a>{% endif %}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table></div></section>
{% endif %}
{% endmacro %}
"""
MARKDOWN_PARTS = """\
{% macro table(title, columns, rows) %}
{% if rows %}

## {{ title }}

|{% for name in columns %} {{ name }} |{% endfor +%}
|{% for name in columns %}---|{% endfor +%}
{% for row in rows %}
|{% for cell in row %} {{ (cell.text if cell is mapping else cell)|cut(600) }} |{% endfor +%}
{% endfor %}
{% endif %}
{% endmacro %}
{% macro bullets(title, rows) %}
{% if rows %}

## {{ title }}

{% for row in rows %}
- {{ row }}
{% endfor %}
{% endif %}
{% endmacro %}
"""
# What is too long for a narrow column in one piece, and where it may be broken: neither in numbers nor before a quote.
LONG = re.compile(r"[^\s<>]{16,}")
SEAM = re.compile(r"[/,_@=](?=\w)|[.:](?=[^\W\d])|(?<=[a-z\d])(?=[A-Z][a-z])")
# A time in a name, as 20261121T083000Z.
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
# By name; whoever makes a page adds its own.
TEMPLATES = {"html": {"layout": LAYOUT, "parts": HTML_PARTS}, "markdown": {"parts": MARKDOWN_PARTS}}


def fit(value: t.Any) -> str:
    """Return a value as text without what no page can hold; "" for None."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else UNFIT.sub("\ufffd", text)


def soft(value: t.Any) -> t.Any:
    """Return a text as HTML whose long names may be broken behind their parts, and nowhere else."""
    from markupsafe import Markup, escape

    if hasattr(value, "__html__"):
        return value
    return Markup(LONG.sub(lambda name: SEAM.sub("\\g<0><wbr/>", name[0]), str(escape(fit(value)))))


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def cut(value: t.Any, length: int) -> str:
    """Return a value as a text of that length, which says where it was cut."""
    text = value if hasattr(value, "__html__") else fit(value)
    return text if len(text) <= length else text[:length] + " [...]"


def moment(time: str) -> str:
    """Return a time of a record as people read it."""
    return COMPACT.sub(r"\1-\2-\3T\4:\5:\6Z", time).replace("T", " ").replace("Z", " UTC")


def kind(column: str) -> str:
    """Return the class of a column's cells."""
    return "number" if column == "revision" or column.endswith((" ms", " s")) else ""


def one_line(value: t.Any) -> str:
    """Return a value as one line of Markdown that ends no cell of a table and holds no HTML."""
    return " ".join(fit(value).split()).replace("<", "&lt;").replace("|", "\\|")


def plain(value: t.Any) -> str:
    """Return a value as one line that is no Markdown and no HTML."""
    return " ".join(fit(value).split()).translate(SIGNIFICANT)


def fenced(text: t.Any, language: str = "text") -> str:
    """Return a block of Markdown whose fence no text inside can end."""
    text = fit(text)
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return f"{fence}{language}\n{text}\n{fence}"


@functools.cache
def _environment(form: str) -> jinja2.Environment:
    """Return how templates become html or markdown. Raises OrchestratorError where there is no Jinja2."""
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as exc:
        message = f"Cannot write the page: the Python that runs the module, {sys.executable}, has no Jinja2."
        hint = "Install Jinja2 there, or set ansible_python_interpreter to the Python that runs Ansible."
        raise OrchestratorError(message, hint=hint) from exc

    class Compiled(jinja2.FileSystemBytecodeCache):
        """Templates compiled by earlier runs: to compile one takes longer than to fill it in."""

        def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
            with contextlib.suppress(OSError):  # the disk is full: the next run compiles it again
                super().dump_bytecode(bucket)

    folder = own_temporary_folder()
    escape = fit if form == "html" else lambda value: Markup(one_line(value))
    found = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=jinja2.DictLoader(TEMPLATES[form]),
        bytecode_cache=Compiled(folder, f"{form}-%s") if folder else None,
        finalize=lambda value: value if isinstance(value, Markup) else escape(value),
    )
    found.filters |= {"soft": soft, "number": number, "cut": cut, "kind": kind, "moment": moment}
    found.filters["plain"] = lambda value: Markup(plain(value))
    found.filters["fenced"] = lambda text, language="text": Markup(fenced(text, language))
    # The style has neither < nor &, so that HTML and XML read it alike.
    found.globals["style"] = Markup(STYLE)
    parts = found.get_template("parts").module
    found.globals |= {name: getattr(parts, name) for name in ("table", "bullets") if hasattr(parts, name)}
    return found


def markdown(name: str, template: str, /, **values: t.Any) -> str:
    """Return what a template becomes with values; a template has one name."""
    return _rendered("markdown", name, template, values)


def html(name: str, template: str, /, **values: t.Any) -> str:
    """Return a template's HTML or SVG, which other templates take as it is."""
    text = _rendered("html", name, template, values)
    from markupsafe import Markup

    return Markup(text)


def _rendered(form: str, name: str, template: str, values: Object) -> str:
    TEMPLATES[form][name] = template
    return _environment(form).get_template(name).render(values)
