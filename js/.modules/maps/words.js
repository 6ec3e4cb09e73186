/** Every sentence of the picture of words, in the language of the page. */

/** @typedef {typeof ENGLISH} Words */

const ENGLISH = {
  picture: "Picture of words",
  stage: "Picture. Arrow keys move over it, the words at that place are read out; Page Up and Page Down change the row.",
  notYet: "Run to see here which word made which part of the picture.",
  hint: "Point at the picture to see its words.",
  none: "no word stands out here",
  flat: "No word stands out in this picture.",
  back: "Previous row",
  on: "Next row",
  row: "{row} of {count}",
  rowLong: "Row {row} of {count}",
  chips: "Words: press one to keep its map over the picture",
  times: "×{factor}",
  said: "{word}, {factor} times its mean",
};

/** @type {Words} */
const FRENCH = {
  picture: "Image des mots",
  stage:
    "Image. Les flèches s'y déplacent, les mots de l'endroit sont lus ; Page préc. et Page suiv. changent de ligne.",
  notYet: "Exécutez pour voir ici quel mot a fait quelle partie de l'image.",
  hint: "Pointez l'image pour voir ses mots.",
  none: "aucun mot ne ressort ici",
  flat: "Aucun mot ne ressort dans cette image.",
  back: "Ligne précédente",
  on: "Ligne suivante",
  row: "{row} sur {count}",
  rowLong: "Ligne {row} sur {count}",
  chips: "Mots : appuyez sur un mot pour garder sa carte sur l'image",
  times: "×{factor}",
  said: "{word}, {factor} fois sa moyenne",
};

/** What is shown now. @type {Words} */
export const WORDS = { ...ENGLISH };

/** Speak the page's language from here on, English where there is no other. @param {unknown} language as in "fr" */
export function speak(language) {
  Object.assign(WORDS, language === "fr" ? FRENCH : ENGLISH);
}
