/**
 * Yours to edit, like the texts in `brand.ts`: what the page says above a challenge. They are a file
 * of their own because they load only where a challenge comes first.
 */
export const challengeTexts = {
  title: "Are you a person?",
  text: "This chat checks it once in each browser. That mostly takes a moment and asks nothing of you.",
};
