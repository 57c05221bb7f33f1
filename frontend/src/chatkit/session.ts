/**
 * Who the visitor is. One `POST /chatkit/session` must be awaited before the chat mounts: its
 * first requests go out in parallel, and each would otherwise become another anonymous person.
 */
import { createChatKitFetch, type GetToken } from "./fetch";

export type SessionInfo = { user: { id: string }; token: string | null; expiresAt: string };

export class SessionError extends Error {
  /** 401: sign in first. 0: the server was not reached. Otherwise what it answered. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.name = "SessionError";
    this.status = status;
  }
}

export type Session = {
  /** Asks the server who this is; parallel calls share one request. */
  open(): Promise<SessionInfo>;
  /** For `createChatKitFetch`. */
  getToken: GetToken;
  /** Keeps the token that an answer renews. For `createChatKitFetch` too. */
  onResponse(operation: string | undefined, response: Response): void;
};

/** Fifteen seconds cover a cold start of the function several times over. */
const TIMEOUT_MS = 15_000;

/**
 * `getToken` is the adopter's, where people sign in (a JWT). Without it people are anonymous:
 * on the page's own origin by a cookie that no script sees, on another origin, where browsers
 * withhold such cookies, by a token that is kept in `localStorage`.
 */
export function createSession(options: {
  api: { chat: string; actions: string };
  getToken?: GetToken;
  fetch?: typeof fetch;
}): Session {
  const { api, getToken } = options;
  const storageKey = `chatkit.token:${api.chat}`;
  let opening: Promise<SessionInfo> | null = null;

  const token: GetToken = getToken ?? (() => read(storageKey));
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
    if (!getToken && body.token) write(storageKey, body.token);
    return { user: body.user, token: body.token ?? null, expiresAt: body.expiresAt ?? "" };
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
      const renewed = getToken ? null : response.headers.get("x-chatkit-token");
      if (renewed) write(storageKey, renewed);
    },
    async getToken({ refresh }) {
      if (refresh && !getToken) await open().catch(() => undefined);
      return token({ refresh });
    },
  };
}

// Storage is refused in some private windows and embedded frames: the token then lasts a page.
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
    // Kept in memory above.
  }
}
