/** Prepares the chat: loads configuration and assistant, opens the session, loads the element. */
import {
  createChatKitFetch,
  createLog,
  createSession,
  type Log,
  loadChatKitScript,
  loadConfig,
  type PageConfig,
  SessionError,
  type SessionInfo,
} from "../chatkit";
import { announceAnswer } from "./answers";
import { texts } from "./brand";

export type Ready = {
  config: PageConfig;
  assistant: typeof import("./assistant");
  session: SessionInfo;
  fetch: typeof fetch;
  log: Log;
  /** `true` when `chatkit.js` could not be loaded and our own element replaces it. */
  standIn: boolean;
};

export type Problem = { title: string; text: string; kind: "down" | "offline" | "session" };

export class BootError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** Throws a `BootError` whose texts the visitor reads. */
export async function boot(): Promise<Ready> {
  // The assistant is a file of its own in the build, so that the browser tests can replace it.
  const [config, assistant] = await Promise.all([loadConfig(), import("./assistant")]).catch(
    (error: unknown) => {
      throw new BootError(unreachable(error));
    },
  );
  const session = createSession({ api: config.api });
  const visitor = await session.open().catch((error: unknown) => {
    throw new BootError(sessionProblem(error));
  });
  const fetch = createChatKitFetch({
    api: config.api,
    getToken: session.getToken,
    onResponse: (operation, response) => {
      session.onResponse(operation, response);
      announceAnswer(operation, response);
    },
  });
  const log = createLog({ chat: config.api.chat, fetch });
  const loaded = await loadChatKitScript(config.chatkitScript);
  if (!loaded) {
    const { defineStandIn } = await import("../standin");
    defineStandIn();
    log("warning", "chatkit_script_unavailable");
  }
  return { config, assistant, session: visitor, fetch, log, standIn: !loaded };
}

function unreachable(error: unknown): Problem {
  if (!navigator.onLine) return { kind: "offline", ...texts.startOffline };
  const detail =
    error instanceof Error && /answered \d/.test(error.message) ? ` (${error.message})` : "";
  const { title, text } = texts.startUnreachable;
  return { kind: "down", title, text: text(detail) };
}

function sessionProblem(error: unknown): Problem {
  if (error instanceof SessionError && (error.status === 401 || error.status === 403)) {
    const { title, text } = texts.startSignIn;
    return { kind: "session", title, text: text(error.message) };
  }
  return unreachable(error);
}
