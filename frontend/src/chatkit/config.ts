/** What the page is told at run time: `GET /config.json`, the same document locally and in AWS. */
import type { ModelOption } from "@openai/chatkit";

export type PageConfig = {
  version: string;
  /** Address of OpenAI's `chatkit.js`. */
  chatkitScript: string;
  /** The key under which this domain is registered with OpenAI; any text on localhost. */
  domainKey: string;
  /** Both addresses, absolute when the API is on another origin than the page. */
  api: { chat: string; actions: string };
  auth: "anonymous" | "jwt";
  model: { name: string; label: string };
  /** Choices for the model picker; empty or one means no picker. */
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

/** Ten seconds: the document is a static file or one cheap request. */
const TIMEOUT_MS = 10_000;

/** Loads the configuration. Throws an `Error` whose message a visitor can read. */
export async function loadConfig(url = "/config.json"): Promise<PageConfig> {
  const response = await fetch(url, {
    cache: "no-cache",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as PageConfig;
}
