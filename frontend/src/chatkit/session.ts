/**
 * Opens the visitor's session. Wait for it before the chat mounts: ChatKit sends its first requests
 * in parallel, and without a session each would become another visitor.
 */
import { createChatKitFetch, type GetToken } from "./fetch";

export type SessionInfo = {
  /** All but `id` only of people who have signed in, and where their token has it. */
  user: {
    id: string;
    name?: string | null;
    /** An address that the issuer has verified. */
    email?: string | null;
    roles?: string[];
    tenant?: string | null;
  };
  signedIn?: boolean;
  /** The models and tools that the visitor may pick. An older server does not say. */
  models?: string[];
  tools?: string[];
  token: string | null;
  expiresAt: string;
};

export class SessionError extends Error {
  /** The status of the response; 0 when the server was not reached. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.name = "SessionError";
    this.status = status;
  }
}

export type Session = {
  /** Asks the server who the visitor is. Parallel calls share one request. */
  open(): Promise<SessionInfo>;
  /** Pass it to `createChatKitFetch`. */
  getToken: GetToken;
  /** Stores a token that a response renews. Pass it to `createChatKitFetch`, too. */
  onResponse(operation: string | undefined, response: Response): void;
};

/** Several times the cold start of the function. */
const TIMEOUT_MS = 15_000;

/**
 * Where people sign in (`CHATKIT_AUTH=oidc`), pass a `getToken` that returns the token of the
 * issuer, or `null` for nobody. Whoever has none is an anonymous visitor, where the server allows
 * that. On the page's own origin the server gives visitors a cookie that scripts cannot read. On
 * another origin browsers do not send it, so a token is kept in `localStorage`.
 */
export function createSession(options: {
  api: { chat: string; actions: string };
  getToken?: GetToken;
  fetch?: typeof fetch;
}): Session {
  const { api, getToken } = options;
  const storageKey = `chatkit.token:${api.chat}`;
  let opening: Promise<SessionInfo> | null = null;

  const token: GetToken = async (reason) => (await getToken?.(reason)) ?? read(storageKey);
  const request = createChatKitFetch({ api, getToken: token, fetch: options.fetch });

  async function load(): Promise<SessionInfo> {
    let response: Response;
    try {
      response = await request(`${api.chat}/session`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new SessionError("The chat server could not be reached.", 0);
    }
    const body = (await response.json().catch(() => ({}))) as Partial<SessionInfo> & {
      message?: string;
    };
    if (!response.ok || !body.user) {
      throw new SessionError(
        body.message ?? `The server answered ${response.status}.`,
        response.status,
      );
    }
    if (body.token) write(storageKey, body.token);
    return {
      ...body,
      user: body.user,
      token: body.token ?? null,
      expiresAt: body.expiresAt ?? "",
    };
  }

  function open(): Promise<SessionInfo> {
    opening ??= load().finally(() => {
      opening = null;
    });
    return opening;
  }

  return {
    open,
    onResponse(_operation, response) {
      const renewed = response.headers.get("x-chatkit-token");
      if (renewed) write(storageKey, renewed);
    },
    async getToken(reason) {
      const given = await getToken?.(reason);
      if (given) return given;
      if (reason.refresh) await open().catch(() => undefined);
      return read(storageKey);
    },
  };
}

// Some private windows and embedded frames have no storage. The token is then lost with the page.
const memory = new Map<string, string>();

function read(key: string): string | null {
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

function write(key: string, value: string): void {
  memory.set(key, value);
  try {
    localStorage.setItem(key, value);
  } catch {
    // The token is in `memory`.
  }
}
