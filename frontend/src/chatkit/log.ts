/**
 * Reports errors of the page to the server: `POST /chatkit/log`. It sends names, codes and counts,
 * never what somebody wrote.
 */

export type Level = "error" | "warning" | "info";
export type Log = (level: Level, event: string, detail?: Record<string, unknown>) => void;

/** Limits a page that fails in a loop. Each level has its own limit, so errors get through. */
const MAX_PER_LEVEL: Record<Level, number> = { error: 50, warning: 20, info: 20 };

export function createLog(options: { chat: string; fetch: typeof fetch }): Log {
  const sent: Record<Level, number> = { error: 0, warning: 0, info: 0 };
  return (level, event, detail = {}) => {
    if (sent[level] >= MAX_PER_LEVEL[level]) return;
    sent[level] += 1;
    const body = JSON.stringify({ level, event: event.slice(0, 100), detail: withoutText(detail) });
    options
      .fetch(`${options.chat}/log`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        keepalive: true,
      })
      .catch(() => {
        // A log entry that cannot be sent is dropped.
      });
  };
}

/**
 * Keeps numbers, booleans and short identifiers. Drops every other string, because a person may
 * have written it.
 */
export function withoutText(detail: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(detail)) {
    if (typeof value === "number" || typeof value === "boolean") kept[key] = value;
    else if (typeof value === "string" && /^[\w.:/-]{1,120}$/.test(value)) kept[key] = value;
  }
  return kept;
}

/** An error's name and code; its message may quote the conversation. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name } = error;
  const { status, code } = error as Error & { status?: unknown; code?: unknown };
  return withoutText({ name, status, code });
}
