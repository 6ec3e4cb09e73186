/** The style of the picture of words beside what all drawing widgets share. */

import { BASE } from "../canvas/style.js";

export const STYLE = `${BASE}
[hidden] { display: none !important; }
.waits { margin: auto; padding: 4px 10px; color: var(--faint); text-align: center; }
.bar.rows { justify-content: center; min-height: 32px; padding: 2px 4px; }
.number { min-width: 56px; text-align: center; font-variant-numeric: tabular-nums; }
.stage { cursor: crosshair; }
.list {
  position: absolute; top: 6px; right: 6px; display: flex; flex-direction: column; gap: 2px; padding: 5px 7px; border-radius: 6px;
  width: min(150px, 60%); pointer-events: none; background: rgb(0 0 0 / .74); color: #fff;
}
.list[data-left] { right: auto; left: 6px; }
.list div { display: flex; align-items: center; gap: 6px; }
.list span { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.list i { width: 32px; height: 6px; border-radius: 3px; background: rgb(255 255 255 / .2); overflow: hidden; flex: none; }
.list i b { display: block; height: 100%; background: #fa911e; }
.list em { width: 34px; text-align: right; font-style: normal; font-variant-numeric: tabular-nums; flex: none; }
.chips { display: flex; flex-wrap: wrap; gap: 3px; padding: 5px; flex: none; max-height: 88px; overflow: auto; scrollbar-width: thin; }
.chips button {
  min-width: 0; max-width: 100%; height: 22px; padding: 0 8px; border-radius: 11px; overflow: hidden; white-space: nowrap; display: inline-block;
  line-height: 22px; text-overflow: ellipsis; background: color-mix(in srgb, var(--ink) 12%, transparent); color: var(--ink);
}
.chips button[data-asked] { font-weight: 600; box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--ink) 45%, transparent); }
.chips button[data-top] { box-shadow: inset 0 0 0 2px #fa911e; }
.chips button[aria-pressed="true"] { background: var(--accent); color: var(--on-accent); }
.chips button:focus-visible { outline-offset: 1px; }
@container (max-width: 240px) { .list { width: 48%; } .list i { display: none; } }
`;
