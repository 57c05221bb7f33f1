/**
 * What goes wrong in the page, told to the server: `POST /chatkit/log`. Names, codes and counts
 * only; never what anybody wrote.
 */

export type Level = "error" | "warning" | "info";
export type Log = (level: Level, event: string, detail?: Record<string, unknown>) => void;

/** A page that fails in a loop must not become a flood; errors still get through after chatter. */
const MOST_PER_LEVEL: Record<Level, number> = { error: 50, warning: 20, info: 20 };

export function createLog(options: { chat: string; fetch: typeof fetch }): Log {
  const sent: Record<Level, number> = { error: 0, warning: 0, info: 0 };
  return (level, event, detail = {}) => {
    if (sent[level] >= MOST_PER_LEVEL[level]) return;
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
        // A log that cannot be delivered is not itself worth a log.
      });
  };
}

/**
 * Keeps numbers, booleans and short identifiers; a string with a space in it may be a sentence
 * that a person wrote, and goes.
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
