/** Keeps the open conversation in the page's address, so that a reload or a link opens it again. */

const PARAMETER = "thread";

export const threadInUrl = (): string | null => new URL(location.href).searchParams.get(PARAMETER);

/** Adds an entry to the browser's history, so that Back opens the previous conversation. */
export function showThreadInUrl(threadId: string | null): void {
  if (threadId === threadInUrl()) return;
  const url = new URL(location.href);
  if (threadId) url.searchParams.set(PARAMETER, threadId);
  else url.searchParams.delete(PARAMETER);
  history.pushState(null, "", url);
}
