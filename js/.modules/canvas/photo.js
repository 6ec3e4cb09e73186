/** The photo under the skeleton: fetched, brought to a size that is quick to draw, kept until another is asked for. */

const LONGEST = 1600;

/**
 * @typedef {object} Photo
 * @property {ImageBitmap|null} bitmap
 * @property {"none"|"loading"|"shown"|"lost"} status lost: the server no longer has it
 */

/** @param {() => void} changed called when the photo appears or turns out to be lost */
export function photoKeeper(changed) {
  let url = "", turn = 0;
  /** @type {Photo} */
  let { bitmap, status } = { bitmap: null, status: "none" };

  function release() {
    bitmap?.close();
    bitmap = null;
  }

  /** @param {number} mine */
  async function fetchPhoto(mine) {
    // The browser may have kept what the server no longer has.
    const answer = await fetch(url, { cache: "no-cache" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const whole = await createImageBitmap(await answer.blob());
    const scale = Math.min(1, LONGEST / Math.max(whole.width, whole.height));
    const small =
      scale === 1
        ? whole
        : await createImageBitmap(whole, {
            resizeWidth: Math.max(1, Math.round(whole.width * scale)),
            resizeHeight: Math.max(1, Math.round(whole.height * scale)),
            resizeQuality: "medium",
          });
    if (small !== whole) whole.close();
    if (mine !== turn) return small.close();
    release();
    bitmap = small;
    status = "shown";
    changed();
  }

  /** @param {number} mine */
  function begin(mine) {
    fetchPhoto(mine).catch(() => {
      if (mine !== turn) return;
      release();
      status = "lost";
      changed();
    });
  }

  return {
    /** @returns {Photo} */
    get: () => ({ bitmap, status }),

    /** Show the picture at an address, "" for none. @param {string} wanted */
    show(wanted) {
      if (wanted === url) return;
      url = wanted;
      const mine = ++turn;
      status = url ? "loading" : "none";
      if (url) begin(mine);
      else release();
      changed();
    },

    /** Fetch the picture once more, as after a restart of the server; until it is there the old one stays. */
    again() {
      if (url) begin(++turn);
    },

    dispose() {
      turn++;
      release();
    },
  };
}
