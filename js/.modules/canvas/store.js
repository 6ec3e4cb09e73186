/** What this browser keeps of results that ComfyUI forgets when it is restarted; nothing where it keeps nothing. */

const DATABASE = "comfyui-recompose", STORE = "results", BY_TIME = "time";

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Lets something be done with the store; null where the browser refuses.
 * @template T @param {(store: IDBObjectStore) => Promise<T>} work @returns {Promise<T|null>}
 */
async function withStore(work) {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE).createIndex(BY_TIME, BY_TIME);
    const database = await done(opening);
    try {
      return await work(database.transaction(STORE, "readwrite").objectStore(STORE));
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

/** Keep a value under a key, and of all values the last ones. @param {string} key @param {unknown} value @param {number} most */
export function keep(key, value, most) {
  return withStore(async (store) => {
    await done(store.put({ value, time: Date.now() }, key));
    // The keys of the values, the oldest value first.
    const keys = await done(store.index(BY_TIME).getAllKeys());
    for (const old of keys.slice(0, Math.max(0, keys.length - most))) store.delete(old);
  });
}

/** What is kept under a key; null for nothing. @param {string} key @returns {Promise<any>} */
export async function kept(key) {
  const found = await withStore((store) => done(store.get(key)));
  return found?.value ?? null;
}
