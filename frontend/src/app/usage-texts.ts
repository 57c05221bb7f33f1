/**
 * Yours to edit, like the texts in `brand.ts`: the line under the chat, with what the page says of a
 * visitor's own use. They are a file of their own because they load after the chat.
 */

/** Opens the dialog with the visitor's own data, whose texts are in `data-texts.ts`. */
export const yourData = "Your data";

type Amounts = (used: number, of: number) => string;

const written = (number: number) => number.toLocaleString(document.documentElement.lang);
const megabytes = (bytes: number) => written(Math.round(bytes / 1e6));
const tokens: Amounts = (used, of) => `${written(used)} of ${written(of)} tokens`;

/** By the name of the limit. A limit without words is not shown. */
export const today: Record<string, Amounts> = {
  messages_per_day: (used, of) => `${written(used)} of ${written(of)} messages today.`,
  input_tokens_per_day: (used, of) => `${tokens(used, of)} read for you today.`,
  output_tokens_per_day: (used, of) => `${tokens(used, of)} written for you today.`,
  upload_bytes_per_day: (used, of) => `${megabytes(used)} of ${megabytes(of)} MB of files today.`,
  dollars_per_day: (used, of) => `$${used.toFixed(2)} of $${of.toFixed(2)} today.`,
};

/** Read out once, when little is left. `resetsAt` is a time of day, such as 2:00 AM. */
export const nearlyUsed = (resetsAt: string) =>
  `Little is left of your limit for today, which resets at ${resetsAt}.`;
