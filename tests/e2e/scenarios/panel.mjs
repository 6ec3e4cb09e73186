import { holds, same } from "../comfy.mjs";
import { openGraph } from "../editor.mjs";

const PANEL = '[data-testid="properties-panel"]';

/** Open or close the panel beside the graph; ComfyUI remembers it for the next page. */
async function panel(comfy, open) {
  const there = async () => (await comfy.page.locator(PANEL).count()) > 0;
  if ((await there()) !== open) await comfy.page.getByRole("button", { name: "Toggle properties panel" }).click();
  await comfy.until(([part, wanted]) => Boolean(document.querySelector(part)) === wanted, [PANEL, open]);
  await comfy.frames(10);
}

/** With the panel of the node's values open the editor stays as wide as its node, and has no row there. */
export async function besideThePanel(comfy, given) {
  const editor = await openGraph(comfy, given);
  const width = () => editor.ask((each) => each.element.offsetWidth);
  await panel(comfy, true);
  try {
    const before = await width();
    await comfy.clickNode("3");
    await comfy.until((part) => document.querySelector(part).textContent.includes("stick width"), PANEL);
    const empty = await editor.onPage(40, 700);
    await comfy.page.mouse.click(empty.x, empty.y);
    await comfy.frames(20);
    await comfy.picture("panel");
    same(await width(), before, "The editor's width after a click on it");
    for (const name of ["Undo", "Redo", "Large view"]) holds(await editor.button(name).isVisible(), `${name} is there`);
    const rows = await comfy.page.locator(PANEL).getByText("edit", { exact: true }).count();
    same(rows, 0, "Rows of the editor in the panel");
    await comfy.evaluate(() => (window.app.graph.getNodeById("3").widgets.find(({ name }) => name === "edit").width = 200));
    await comfy.frames(5);
    same(await width(), before, "The editor's width after a width was written to it");
  } finally {
    await panel(comfy, false);
  }
}
