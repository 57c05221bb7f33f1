/** Which function serves each ChatKit operation, and whether it streams. */

/** The second function serves these. Everything else goes to the chat function. */
const ACTIONS = new Set([
  "threads.custom_action",
  "threads.sync_custom_action",
  "input.transcribe",
]);

const STREAMING = new Set([
  "threads.create",
  "threads.add_user_message",
  "threads.add_client_tool_output",
  "threads.add_structured_input",
  "threads.retry_after_item",
  "threads.custom_action",
]);

export const servedByActions = (type: string | undefined): boolean =>
  type !== undefined && ACTIONS.has(type);

export const isStreaming = (type: string | undefined): boolean =>
  type !== undefined && STREAMING.has(type);

/** The `type` of a ChatKit request's JSON body, or `undefined` when it is something else. */
export function operationOf(body: BodyInit | null | undefined): string | undefined {
  if (typeof body !== "string" || !body.startsWith("{")) return undefined;
  try {
    const { type } = JSON.parse(body) as { type?: unknown };
    return typeof type === "string" ? type : undefined;
  } catch {
    return undefined;
  }
}
