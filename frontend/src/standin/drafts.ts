/** Keeps unsent text through a reload: one draft for each thread, and one for a new thread. */

const PREFIX = "chatkit.draft:";

const key = (threadId: string | null): string => PREFIX + (threadId ?? "new");

export function readDraft(threadId: string | null): string {
  try {
    return sessionStorage.getItem(key(threadId)) ?? "";
  } catch {
    return "";
  }
}

export function writeDraft(threadId: string | null, text: string): void {
  try {
    if (text) sessionStorage.setItem(key(threadId), text);
    else sessionStorage.removeItem(key(threadId));
  } catch {
    // This window has no storage: the draft is lost with the page.
  }
}

/** For when somebody else uses the page next. */
export function forgetDrafts(): void {
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
    }
  } catch {
    // This window has no storage, and so no drafts.
  }
}
