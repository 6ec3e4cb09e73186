/** The style of all that this pack puts on nodes; it lives in shadow roots, so that nothing of it reaches the page. */

/** Ground, ink and lines follow ComfyUI's palette; the values after the comma are for a page without one. */
export const BASE = `
:host {
  --ground: var(--comfy-menu-bg, #353535); --well: var(--comfy-input-bg, #222); --ink: var(--input-text, #ddd);
  --faint: var(--descrip-text, #999); --line: var(--border-color, #4e4e4e);
  --accent: #0b8ce9; --on-accent: #fff; --warn: #e69f00;
  all: initial; display: flex; flex-direction: column; position: relative; box-sizing: border-box; width: 100%;
  height: 100%; min-height: 0; overflow: hidden; color: var(--ink); background: var(--ground); border-radius: 8px;
  font: 12px/1.35 system-ui, sans-serif; container-type: inline-size; contain: layout paint style; user-select: none; -webkit-user-select: none;
}
* { box-sizing: border-box; }
.bar { display: flex; align-items: center; gap: 2px; padding: 4px; min-height: 36px; flex: none; }
.gap { flex: 1; min-width: 4px; }
button {
  all: unset; box-sizing: border-box; display: inline-flex; align-items: center; justify-content: center; gap: 6px;
  min-width: 28px; height: 28px; border-radius: 6px; cursor: pointer; color: var(--ink); flex: none; font: inherit;
}
button:hover { background: color-mix(in srgb, var(--ink) 14%, transparent); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
button[disabled] { opacity: .35; cursor: default; background: none; }
button[aria-pressed="true"], button[aria-expanded="true"] { background: color-mix(in srgb, var(--accent) 35%, transparent); }
button[hidden] { display: none; }
svg { width: 18px; height: 18px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; flex: none; }
.stage { position: relative; flex: 1; min-height: 120px; contain: strict; overflow: hidden; background: var(--well); touch-action: none; cursor: default; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; }
.stage canvas:focus { outline: none; }
.stage:has(canvas:focus)::after { content: ""; position: absolute; inset: 0; border: 2px solid var(--accent); pointer-events: none; }
.stage:has(canvas:focus:not(:focus-visible))::after { border-width: 1px; opacity: .7; }
.hint { position: absolute; left: 50%; bottom: 10px; transform: translateX(-50%); padding: 3px 10px; border-radius: 10px; pointer-events: none;
  background: rgb(0 0 0 / .62); color: #fff; width: max-content; max-width: 96%; text-align: center; }
.hint[hidden] { display: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
