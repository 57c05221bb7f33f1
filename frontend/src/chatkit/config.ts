/** The page's configuration, `GET /config.json`. It has the same form locally and in AWS. */
import type { ModelOption } from "@openai/chatkit";
import type { AssistantOptions } from "./options";

export type SignInConfig = {
  /** The address of the OpenID Connect issuer. */
  issuer: string;
  clientId: string;
  /** The scopes to ask for, separated by spaces. */
  scope: string;
  /** The name of the API, for issuers that take one as `audience`, such as Auth0. */
  audience: string | null;
  /** The kind of token that the server wants. */
  token: "access" | "id";
  /** Whether visitors may chat without signing in. */
  optional: boolean;
};

export type ChallengeConfig = {
  /** The address of the script of Cloudflare's Turnstile. */
  script: string;
  /** The key of the widget. */
  siteKey: string;
  /** The action that the widget must have. The server checks it. */
  action: string;
};

export type PageConfig = {
  version: string;
  /** The address of OpenAI's `chatkit.js`. */
  chatkitScript: string;
  /** OpenAI's key for this domain. On localhost any text works. */
  domainKey: string;
  /** The addresses of both functions. They are absolute when the API is on another origin. */
  api: { chat: string; actions: string };
  auth: "anonymous" | "oidc";
  /**
   * What the page needs to sign people in. `null` when visitors are anonymous, or when the page
   * around the chat has a sign-in of its own and passes `getToken`.
   */
  signIn?: SignInConfig | null;
  /** The challenge that a new anonymous visitor has to solve. `null` when there is none. */
  challenge?: ChallengeConfig | null;
  /** The texts, prompts and tools of an assistant with a `page.json`, in place of the page's. */
  assistant?: Partial<Pick<AssistantOptions, "startScreen" | "placeholder" | "tools" | "commands">>;
  model: { name: string; label: string };
  /** The choices of the model picker. With fewer than two there is no picker. */
  models?: ModelOption[];
  features: {
    attachments: boolean;
    dictation: boolean;
    voiceNotes: boolean;
    feedback: boolean;
    entities: boolean;
    /** Whether a person has limits of the day. Then `GET /chatkit/usage` says what is used. */
    usage?: boolean;
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
