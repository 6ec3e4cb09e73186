// What js/ takes of ComfyUI's page; the page itself has these scripts.
declare module "*/scripts/app.js" {
  export const app: import("../../js/.modules/canvas/page.js").App;
}
declare module "*/scripts/api.js" {
  export const api: import("../../js/.modules/canvas/page.js").Api;
}
