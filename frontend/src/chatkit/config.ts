/** The page's configuration, `GET /config.json`. It has the same form locally and in AWS. */
import type { ModelOption } from "@openai/chatkit";

export type PageConfig = {
  version: string;
  /** The address of OpenAI's `chatkit.js`. */
  chatkitScript: string;
  /** OpenAI's key for this domain. On localhost any text works. */
  domainKey: string;
  /** The addresses of both functions. They are absolute when the API is on another origin. */
  api: { chat: string; actions: string };
  auth: "anonymous";
  model: { name: string; label: string };
  /** The choices of the model picker. With fewer than two there is no picker. */
  models?: ModelOption[];
  features: {
    attachments: boolean;
    dictation: boolean;
    voiceNotes: boolean;
    feedback: boolean;
    entities: boolean;
  };
  attachments?: { maxSize: number; maxCount: number; accept: Record<string, string[]> };
};

const TIMEOUT_MS = 10_000;

/** Loads the configuration. Throws an `Error` whose message the visitor can read. */
export async function loadConfig(url = "/config.json"): Promise<PageConfig> {
  const response = await fetch(url, {
    cache: "no-cache",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as PageConfig;
}
