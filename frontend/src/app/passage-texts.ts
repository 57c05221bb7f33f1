/**
 * Yours to edit, like the texts in `brand.ts`: what stands around a passage that an answer cites.
 * They are a file of their own because they load with the first passage that is opened.
 */
export const passageTexts = {
  loading: "The passage is loading…",
  page: (number: number) => `page ${number}`,
  original: "Open the original",
  close: "Close",
  unreachable: "The passage cannot be reached. Please try again in a moment.",
};
