/** The open conversation in the address, so that a reload or a saved link opens it again. */

const PARAMETER = "thread";

export const threadInUrl = (): string | null => new URL(location.href).searchParams.get(PARAMETER);

/** A new entry in the browser's history, so that Back leads to the conversation before. */
export function showThreadInUrl(threadId: string | null): void {
  if (threadId === threadInUrl()) return;
  const url = new URL(location.href);
  if (threadId) url.searchParams.set(PARAMETER, threadId);
  else url.searchParams.delete(PARAMETER);
  history.pushState(null, "", url);
}
