# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: no promise that names or behaviour stay.
"""How the status page looks, and the script that asks for it again. The page is whole without both.

Colours keep a contrast of 4.5 (WCAG 2.1, 1.4.3) in light and in dark; no colour says what no word says.
"""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --back: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --link: #0550ae;
  --good: #116329; --bad: #a40e26; --work: #7a4600; --even: #f6f8fa;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --text: #e6edf3; --soft: #9ea7b3; --line: #3d444d; --link: #79b8ff;
    --good: #56d364; --bad: #ff8f87; --work: #e3b341; --even: #161b22;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
header p, footer, caption, dt, .soft { color: var(--soft); }
footer { margin-top: 2rem; border-top: 1px solid var(--line); font-size: .875rem; }
ul.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: .75rem 0; padding: 0; list-style: none; }
ul.counts li { padding: .15rem .6rem; border: 1px solid var(--line); border-radius: .5rem; }
ul.look { margin: .5rem 0; padding: 0; list-style: none; }
ul.look li, .why {
  margin: .5rem 0; padding: .5rem .75rem; border-left: .25rem solid var(--bad); background: var(--even);
}
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
caption { padding: .25rem 0; text-align: left; font-size: .875rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { min-width: 11rem; font-weight: 600; }
tbody th small { display: block; color: var(--soft); font-weight: 400; white-space: nowrap; }
time { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .work { color: var(--work); }
.mark { font-weight: 600; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0; }
dd { margin: 0; }
ol.way { margin: .5rem 0; padding-left: 1.75rem; }
ol.way li.open { color: var(--soft); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .75rem; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 40rem) {
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  caption { display: block; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  th, td { padding: .1rem 0; border: 0; }
  tbody th { min-width: 0; }
  td { display: grid; grid-template-columns: 6.5rem 1fr; gap: .5rem; }
  td::before { content: attr(data-head); color: var(--soft); }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin: 0 0 .5rem; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
"""

#: Puts what is new in the place of what is old, so that whoever reads stays where they are; what is open stays open.
SCRIPT = """\
"use strict";
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, {cache: "no-cache"});
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = new Map([...document.querySelectorAll("details")].map((one) => [one.id, one.open]));
    for (const one of fresh.querySelectorAll("details"))
      if (open.has(one.id)) one.open = open.get(one.id);
    const at = document.activeElement;
    const again = at && (at.id ? "#" + CSS.escape(at.id)
      : at.matches("a[href]") ? "a[href='" + CSS.escape(at.getAttribute("href")) + "']" : "");
    for (const name of ["main", "footer"]) {
      const [old, now] = [document.querySelector(name), fresh.querySelector(name)];
      if (old && now && old.innerHTML !== now.innerHTML) old.replaceWith(now);
    }
    if (again && document.activeElement === document.body) document.querySelector(again)?.focus({preventScroll: true});
  } catch {
    // the server does not answer; the next time it may
  }
}, REFRESH);
"""

ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">\
<rect x="1" y="2" width="14" height="9" rx="1.5" fill="#57606a"/>\
<rect x="3" y="4" width="10" height="5" fill="#b6e3ff"/><rect x="5" y="12" width="6" height="2" fill="#57606a"/></svg>
"""
