"""The report as one HTML file: no scripts, nothing that is loaded, readable in light and dark."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from functions.store.report import Report
from infra.report.colours import style_sheet
from infra.report.figures import Figure, figures

POLICY = "default-src 'none';style-src 'unsafe-inline'"

STYLE = """
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:2rem 1rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:0}
p{margin:.25rem 0 1rem;color:var(--muted)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem}
dl{margin:0 0 1rem}
dl div,section{background:var(--card);border-radius:.5rem;padding:1rem}
dt{color:var(--muted);font-size:.85rem}dd{margin:0;font-size:1.35rem}
section{margin:0 0 1rem}
svg{display:block;width:100%;min-width:34rem;height:auto}
svg text{font-family:system-ui,sans-serif!important}
.wide{overflow-x:auto}
summary{cursor:pointer;color:var(--muted);margin-top:.5rem;width:max-content}
table{border-collapse:collapse;width:100%;font-size:.85rem;margin-top:.5rem}
th,td{text-align:right;padding:.25rem .5rem;border-top:1px solid var(--grid);white-space:nowrap}
th:first-child,td:first-child,.words th,.words td{text-align:left}
.words td{white-space:normal;overflow-wrap:anywhere}.words td:nth-child(-n+2){white-space:nowrap}
thead th{border:0;color:var(--muted);font-weight:600}
@media print{details>*{display:block}}
"""


def page(report: Report, name: str) -> str:
    """The page. `name` says whose report it is, such as `The stage prod`."""
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    title = f"{name}: report from {report['from']} to {report['to']}"
    parts = [_figure(figure) for figure in figures(report)]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta http-equiv="content-security-policy" content="{POLICY}">',
            f"<title>{escape(title)}</title>",
            f"<style>{style_sheet()}{STYLE}</style>",
            f"<main><h1>{escape(name)}</h1>",
            f"<p>{report['from']} to {report['to']}. Days are those of UTC. Made {made}.</p>",
            _headline(report),
            *(parts or ["<section>Nothing was counted in these days.</section>"]),
            _questions(report),
            "</main></html>\n",
        ]
    )


def _headline(report: Report) -> str:
    days = report["days"]
    messages = sum(day["messages"] for day in days)
    ended = sum(sum(day["outcomes"].values()) for day in days)
    failed = sum(day["outcomes"].get("failed", 0) for day in days)
    up = sum(day["feedback"].get("positive", 0) for day in days)
    down = sum(day["feedback"].get("negative", 0) for day in days)
    dollars = sum(model["dollars"] for day in days for model in day["models"])
    tokens = sum(
        model["inputTokens"] + model["outputTokens"] for day in days for model in day["models"]
    )
    shown = {
        "Messages": f"{messages:,}",
        "People on the busiest day": f"{max((day['people'] for day in days), default=0):,}",
        "Tokens": f"{tokens:,}",
        "Dollars": f"${dollars:,.2f}",
        "Answers that failed": f"{failed / ended:.1%}" if ended else "none",
        "Thumbs up and down": f"{up:,} / {down:,}",
    }
    return f"<dl>{''.join(f'<div><dt>{k}</dt><dd>{v}</dd></div>' for k, v in shown.items())}</dl>"


def _figure(figure: Figure) -> str:
    """A section whose drawing is one picture to a screen reader, with its numbers as a table."""
    title, about = f"{figure.name}-title", f"{figure.name}-about"
    return (
        f'<section aria-labelledby="{title}"><h2 id="{title}">{escape(figure.title)}</h2>'
        f'<p id="{about}">{escape(figure.description)}</p>'
        f'<div class="wide" role="img" aria-labelledby="{title}" aria-describedby="{about}">'
        f"{_with_own_ids(figure.svg, figure.name)}</div>"
        "<details><summary>The numbers</summary>"
        f"{_table(figure.columns, figure.rows, figure.title)}</details></section>"
    )


def _with_own_ids(svg: str, name: str) -> str:
    """The drawing with ids that no other drawing of the page has."""
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    return svg.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')


def _questions(report: Report) -> str:
    rows = [
        (
            each["at"][:16].replace("T", " "),
            each["why"],
            each["text"] or "",
            each["thread"],
            each["item"],
        )
        for each in report["questions"]
    ]
    about = (
        "The newest questions whose answer got a thumb down or cites no source. The text is there "
        "only with the setting reportText."
    )
    columns = ("when (UTC)", "why", "text", "conversation", "item")
    table = _table(columns, rows, "Questions", words=True) if rows else "<p>There are none.</p>"
    return f"<section><h2>Questions that need a look</h2><p>{about}</p>{table}</section>"


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, words: bool = False
) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    kind = ' class="words"' if words else ""
    return (
        f'<div class="wide"><table{kind} aria-label="{escape(caption)}"><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )
