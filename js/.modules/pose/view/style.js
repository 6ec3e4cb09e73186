/** The editor's style beside what all drawing widgets share. */

import { BASE } from "../../canvas/style.js";

export const STYLE = `${BASE}
.chooser { display: flex; align-items: center; }
.bar.end { height: 32px; min-height: 32px; padding: 2px 6px; gap: 4px; contain: strict; }
.split { width: 1px; height: 18px; background: var(--line); margin: 0 3px; flex: none; }
button.main { padding: 0 10px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
button.main:hover { background: color-mix(in srgb, var(--accent) 85%, #fff); }
button.main[data-quiet] { background: color-mix(in srgb, var(--ink) 12%, transparent); color: var(--ink); }
button.text { padding: 0 8px; }
.notice {
  display: flex; align-items: center; gap: 8px; padding: 4px 4px 4px 10px; flex: none; color: #1c1400; background: #f3c35a;
  user-select: text; -webkit-user-select: text;
}
.notice[hidden] { display: none; }
.notice button { color: inherit; }
.notice span { flex: 1; }
.status { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--ink); }
.percent { min-width: 40px; text-align: center; font-variant-numeric: tabular-nums; }
input[type="range"] { width: 64px; accent-color: var(--accent); margin: 0; }
.layer { position: absolute; inset: 0; pointer-events: none; z-index: 5; }
.layer > * { pointer-events: auto; }
.menu, .gallery, .panel, .help {
  position: absolute; z-index: 5; background: var(--ground); color: var(--ink); border: 1px solid var(--line); border-radius: 8px;
  box-shadow: 0 6px 24px rgb(0 0 0 / .4); overflow: auto; scrollbar-width: thin;
}
.menu { display: flex; flex-direction: column; min-width: 200px; padding: 4px; }
.menu button { justify-content: space-between; padding: 0 8px; height: 26px; gap: 16px; }
.menu button[aria-checked] span { flex: 1; }
.menu button[aria-checked]::before { content: ""; width: 12px; height: 12px; border: 1.5px solid var(--faint); border-radius: 3px; margin-right: -8px; }
.menu button[aria-checked="true"]::before { background: var(--accent); border-color: var(--accent); box-shadow: inset 0 0 0 2px var(--ground); }
kbd { font: inherit; color: var(--faint); }
hr { width: 100%; border: 0; border-top: 1px solid var(--line); margin: 4px 0; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 4px; padding: 6px; width: min(392px, calc(100% - 8px)); }
.gallery button { flex-direction: column; height: auto; padding: 4px; gap: 2px; text-align: center; }
.gallery canvas { width: 72px; height: 84px; background: #16181c; border-radius: 4px; }
.panel { top: 40px; right: 4px; bottom: 36px; width: 210px; padding: 6px; display: flex; flex-direction: column; gap: 2px; }
.panel[hidden] { display: none; }
.panel h3 { all: unset; display: block; font-weight: 600; padding: 4px 2px 2px; }
.row { display: flex; align-items: center; border-radius: 6px; }
.row[data-selected] { background: color-mix(in srgb, var(--accent) 30%, transparent); }
.row .name { flex: 1; justify-content: flex-start; padding: 0 6px; height: 24px; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row .name[aria-pressed] { background: none; }
.row .name[data-absent] { color: var(--faint); font-style: italic; }
.row button:not(.name) { min-width: 24px; height: 24px; opacity: .35; }
.row button[aria-pressed="true"] { opacity: 1; }
.row button:not(.name):hover, .row button:focus-visible { opacity: 1; }
.row svg { width: 15px; height: 15px; }
.mark { width: 9px; height: 9px; flex: none; margin-right: 6px; border-radius: 50%; }
.mark[data-side="1"] { border-radius: 0; transform: rotate(45deg) scale(.85); }
.part > summary { cursor: pointer; padding: 3px 2px; border-radius: 6px; font-weight: 600; }
.part > summary:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.help { inset: 40px 8px 36px; padding: 10px 14px; line-height: 1.5; user-select: text; -webkit-user-select: text; }
.help dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 14px; margin: 6px 0; }
.help dt { font-weight: 600; white-space: nowrap; } .help dd { margin: 0; }
.short { display: none; }
@container (max-width: 620px) { .long, .wide { display: none; } .short { display: inline; } }
@container (max-width: 400px) { .short { display: none; } button.main { padding: 0 5px; } }
@container (max-width: 360px) { .bar:not(.end) { flex-wrap: wrap; } .split, .gap, .end .narrow, .end input, .end svg:has(+ input) { display: none; } }
@container (min-width: 900px) { .panel { width: 250px; } }
@media (prefers-reduced-motion: no-preference) { .busy svg { animation: beat 1s infinite alternate; } }
@keyframes beat { to { opacity: .3; } }
`;
