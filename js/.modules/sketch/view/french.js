/** The sketch editor in French. */

/** @type {import("./words.js").Words} */
export const FRENCH = {
  editor: "Éditeur de croquis",
  stage: "Dessin. B dessine, E efface, F remplit, 1 à 3 choisissent la couche, les crochets la largeur, Ctrl+Z annule.",
  load: "Charger l'image",
  large: "Grande vue",
  small: "Retour au nœud",
  elsewhere: "Ce dessin est ouvert dans la grande vue.",
  pen: "Stylo",
  eraser: "Gomme",
  fill: "Remplir ce qu'un trait entoure",
  layer: "Couche",
  sketch: "Croquis",
  mask: "Masque",
  colour: "Couleurs",
  ink: "Couleur des traits",
  width: "Largeur en pixels",
  undo: "Annuler",
  redo: "Rétablir",
  clear: "Vider la couche",
  fit: "Tout montrer",
  nearer: "Agrandir",
  farther: "Réduire",
  straight: "La ligne est droite tant que vous tenez le stylo.",
  stale: "Ce qui vient avant ce nœud a changé ; chargez de nouveau pour le voir.",
  damaged: "Des parties du dessin enregistré sont endommagées et ont été laissées de côté ; vérifiez le dessin.",
};
