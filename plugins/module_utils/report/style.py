# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The style of pages: light and dark, wide, narrow and on paper. Colours have a contrast of 4.5 or more.

On a phone each row of a table is a card: its cells stand below one another, each with its column's name, and the first
one is its heading. No word is broken inside: names have places to break at (pages.soft).
"""

from __future__ import annotations

LIGHT = """
--page:#fafaf8;--card:#fff;--rule:#dcdfe3;--text:#1d2126;--muted:#57606a;--accent:#2a6496;--soft:#9dbdd8;
--good:#17713f;--bad:#b3261e;--warn:#855400;--good-back:#e8f4ec;--bad-back:#fbeae9;--warn-back:#fbf2e0;--grid:#e8eaed
"""
DARK = """
--page:#14171b;--card:#1b1f24;--rule:#343b43;--text:#e5e8eb;--muted:#a0a9b3;--accent:#74b2e6;--soft:#3f6485;
--good:#62c78f;--bad:#ff9288;--warn:#e3b35d;--good-back:#1a2f23;--bad-back:#3a1f1e;--warn-back:#33291a;--grid:#2a3037
"""

STYLE = (
    ":root{color-scheme:light dark;" + LIGHT + "}"
    "@media (prefers-color-scheme:dark){:root{" + DARK + "}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1060px;margin:0 auto;padding:28px 16px 56px}
h1{font-size:1.55rem;line-height:1.25;margin:.4rem 0 .3rem;overflow-wrap:break-word}
h2{font-size:1.1rem;margin:2.4rem 0 .7rem}
h3{font-size:1rem;margin:0 0 .4rem;overflow-wrap:break-word}
p{margin:.3rem 0}
a{color:var(--accent)}
.muted,.facts dt,th,footer{color:var(--muted)}
.badge{display:inline-block;padding:.1rem .65rem;border-radius:99px;font-weight:600;font-size:.9rem}
.badge.good{background:var(--good-back);color:var(--good)}
.badge.bad{background:var(--bad-back);color:var(--bad)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.7rem 1.4rem;margin:1.1rem 0 0}
.facts .long{grid-column:1/-1}
.facts dt{font-size:.82rem}
.facts dd{margin:0;overflow-wrap:break-word}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 16px;margin:0 0 12px}
.card.bad{border-left:4px solid var(--bad)}
.card.warn{border-left:4px solid var(--warn)}
pre{margin:.5rem 0 0;white-space:pre-wrap;overflow-wrap:break-word;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
code{font:.92em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:break-word}
.command{background:var(--page);border:1px solid var(--rule);border-radius:8px;padding:.6rem .8rem;user-select:all}
.card>h3:not(:first-child){margin-top:1rem}
summary{cursor:pointer;color:var(--accent);padding:.5rem 0}
ul{margin:.3rem 0;padding-left:1.2rem}
li{overflow-wrap:break-word}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px}
figcaption{color:var(--muted);font-size:.86rem;margin-top:.6rem}
.key{display:inline-block;width:18px;height:10px;border-radius:3px;margin:0 .35rem 0 .9rem;vertical-align:middle}
.key:first-child{margin-left:0}
.key.work{background:var(--accent)}.key.wait{background:var(--soft)}.key.probe{background:var(--good)}
.key.failed{background:var(--bad)}
.table{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.45rem .8rem;border-bottom:1px solid var(--rule);vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-weight:500;font-size:.82rem;white-space:nowrap}
td.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th.number{text-align:right}
td:first-child{min-width:9rem}
td.good{color:var(--good)}td.bad{color:var(--bad)}td.warn{color:var(--warn)}
bdi{unicode-bidi:isolate}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg.narrow{display:none}
svg text{fill:var(--text)}
.box rect{fill:var(--page);stroke:var(--rule);stroke-width:1.2}
.box.good rect{stroke:var(--good)}.box.bad rect{stroke:var(--bad);stroke-width:2}.box.warn rect{stroke:var(--warn)}
.box .kind{font-size:11px;fill:var(--muted)}
.box .name{font-size:14.5px;font-weight:600}
.box .line{font-size:12.5px;fill:var(--muted)}
.sign circle{fill:var(--muted)}.sign path{fill:none;stroke:var(--card);stroke-width:1.8;stroke-linecap:round}
.sign.good circle{fill:var(--good)}.sign.bad circle{fill:var(--bad)}.sign.warn circle{fill:var(--warn)}
.edge{fill:none;stroke:var(--muted);stroke-width:1.4}.edge.bad{stroke:var(--bad);stroke-dasharray:5 4}
.grid line{stroke:var(--grid)}.grid text{font-size:11px;fill:var(--muted)}
.lane text{font-size:12.5px}.lane .seconds{fill:var(--muted);font-size:11.5px}
.lane.failed text{fill:var(--bad)}
.phases text{font-weight:600}
.bar.phase rect{fill:var(--muted);opacity:.45}
.bar.work rect{fill:var(--accent)}.bar.wait rect{fill:var(--soft)}.bar.probe rect{fill:var(--good)}
.bar.failed rect{fill:var(--bad)}.bar.open rect{fill:none;stroke:var(--accent);stroke-dasharray:3 3}
.bar .cross{stroke:var(--card);stroke-width:2;fill:none}
.retry{margin:1rem 0}
footer{margin-top:2.6rem;font-size:.86rem}
@media (max-width:720px){
main{padding-top:18px}
svg.wide{display:none}svg.narrow{display:block}
figure{padding:10px 8px}
}
@media (max-width:600px){
.table:not(.pairs){border:0;background:none;border-radius:0;overflow:visible}
.table:not(.pairs) :is(table,tbody){display:block}
.table:not(.pairs) thead{display:none}
.table:not(.pairs) tr{display:block;background:var(--card);border:1px solid var(--rule);border-radius:10px;
padding:.6rem .9rem;margin:0 0 10px}
.table:not(.pairs) td{display:grid;grid-template-columns:6.6rem minmax(0,1fr);gap:.7rem;border:0;padding:.14rem 0;
text-align:left;white-space:normal}
.table:not(.pairs) td:empty{display:none}
.table:not(.pairs) td::before{content:attr(data-name);color:var(--muted);font-size:.82rem;line-height:1.7}
.table:not(.pairs) td:first-child{display:block;font-weight:600;padding-bottom:.3rem}
.table:not(.pairs) td:first-child::before{content:none}
}
@media print{
:root{color-scheme:light;"""
    + LIGHT
    + """}
body{background:#fff;font-size:11pt}main{max-width:none;padding:0}
svg.wide{display:block}svg.narrow{display:none}
h2{break-after:avoid}.card,figure,tr,.box,.lane{break-inside:avoid}.table{overflow:visible}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
)
