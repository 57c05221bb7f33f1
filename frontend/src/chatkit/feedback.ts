/** The visitor's feedback, which the server sends in a header with a thread's items. */

export type FeedbackKind = "positive" | "negative";

/** Pairs of an item's id and its feedback. */
export function feedbackIn(response: Response): [string, FeedbackKind][] {
  const header = response.headers.get("x-chatkit-feedback") ?? "";
  return header.split(" ").flatMap((mark): [string, FeedbackKind][] => {
    const [id, kind] = mark.split("=");
    if (!id || (kind !== "positive" && kind !== "negative")) return [];
    return [[decodeURIComponent(id), kind]];
  });
}
