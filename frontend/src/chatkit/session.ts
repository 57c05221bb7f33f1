/**
 * Opens the visitor's session. Wait for it before the chat mounts: ChatKit sends its first requests
 * in parallel, and without a session each would become another visitor.
 */
import { createChatKitFetch, type GetToken } from "./fetch";

export type SessionInfo = {
  /** For people who have signed in, also what their token says of them. */
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
  /** What the picker shows for each of the models, by their ids. */
  modelLabels?: Record<string, string>;
  tools?: string[];
  token: string | null;
  expiresAt: string;
};

export class SessionError extends Error {
  /** The status of the response; 0 when the server was not reached. */
  readonly status: number;
  /** What the server says for programs, such as `challenge_required`. */
  readonly code: string | undefined;
  /** See the function of this name. */
  readonly signInAgain: boolean;
  constructor(message: string, status: number, code?: string, signInAgain = false) {
    super(message);
    this.name = "SessionError";
    this.status = status;
    this.code = code;
    this.signInAgain = signInAgain;
  }
}

/** The code of a 401: somebody new has to solve a challenge first. */
export const CHALLENGE_REQUIRED = "challenge_required";

/**
 * Whether a 401 says that the person has signed out everywhere since they signed in (RFC 9470). The
 * issuer then has to ask for the password, because its own session is as old as the sign-in.
 */
export function signInAgain({ headers }: Response): boolean {
  // Lambda's Function URLs rename the header.
  const challenge = ["www-authenticate", "x-amzn-remapped-www-authenticate"].map((name) =>
    headers.get(name),
  );
  return challenge.join().includes("insufficient_user_authentication");
}

export type Session = {
  /** Asks the server who the visitor is. Parallel calls share one request. */
  open(): Promise<SessionInfo>;
  /**
   * Ends the visitor's sessions in all browsers, and forgets this one. Reload the page afterwards: an
   * anonymous visitor is then somebody new. Throws a `SessionError`.
   */
  signOutEverywhere(): Promise<void>;
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
 * another origin browsers do not send it, so a token is kept in `localStorage`. It is valid for 30
 * days, and renewed while it is used.
 *
 * Where the server asks somebody new for a challenge (`config.challenge`), `challenge` is called
 * for the token of a solved one: see `solveChallenge`. It is called once for each `open()`. When it
 * throws, or the server refuses its token, `open()` throws a `SessionError` with the code
 * `challenge_required`, and may be called again.
 */
export function createSession(options: {
  api: { chat: string; actions: string };
  getToken?: GetToken;
  challenge?: () => Promise<string>;
  fetch?: typeof fetch;
}): Session {
  const { api, getToken } = options;
  const storageKey = `chatkit.token:${api.chat}`;
  let opening: Promise<SessionInfo> | null = null;

  const token: GetToken = async (reason) => {
    const given = await getToken?.(reason);
    if (given) return given;
    const kept = read(storageKey);
    return reason.refresh && kept === reason.refused ? undefined : kept;
  };
  const request = createChatKitFetch({ api, getToken: token, fetch: options.fetch });

  async function post(path: string, content: object = {}): Promise<Response> {
    try {
      return await request(`${api.chat}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(content),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new SessionError("The chat server could not be reached.", 0);
    }
  }

  async function load(): Promise<SessionInfo> {
    let response = await post("/session");
    let body = await bodyOf(response);
    if (body.code === CHALLENGE_REQUIRED && options.challenge) {
      const challenge = await options.challenge().catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        throw new SessionError(message, response.status, CHALLENGE_REQUIRED);
      });
      response = await post("/session", { challenge });
      body = await bodyOf(response);
    }
    if (!response.ok || !body.user) throw refused(response, body);
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
    async signOutEverywhere() {
      const signedIn = Boolean(await getToken?.({ refresh: false }));
      const response = await post("/session/end");
      if (!response.ok) throw refused(response, await bodyOf(response));
      if (!signedIn) forget(storageKey);
    },
    async getToken(reason) {
      const given = await getToken?.(reason);
      if (given) return given;
      if (reason.refresh) await open().catch(() => undefined);
      return read(storageKey);
    },
  };
}

type Body = Partial<SessionInfo> & { message?: string; code?: string };

async function bodyOf(response: Response): Promise<Body> {
  return (await response.json().catch(() => ({}))) as Body;
}

function refused(response: Response, body: Body): SessionError {
  const message = body.message ?? `The server answered ${response.status}.`;
  return new SessionError(message, response.status, body.code, signInAgain(response));
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

function forget(key: string): void {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // There was none.
  }
}
