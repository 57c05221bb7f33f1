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
import type { Person, SignIn } from "../sign-in";
import { announceAnswer } from "./answers";
import { arrive } from "./arrive";
import { texts } from "./brand";

export type Ready = {
  at: "ready";
  config: PageConfig;
  assistant: typeof import("./assistant");
  session: SessionInfo;
  fetch: typeof fetch;
  log: Log;
  /** `true` when `chatkit.js` could not be loaded and our own element replaces it. */
  standIn: boolean;
  /** `null` when the page signs nobody in. */
  signIn: SignIn | null;
  /** Who had signed in before the session was opened. */
  person: Person | null;
  /** What went wrong with a sign-in that the visitor can do without. */
  notice: string | null;
};

/** There is no chat before somebody signs in. */
export type SignedOut = {
  at: "signed-out";
  signIn: SignIn;
  person: Person | null;
  /** Why they have to, or what went wrong. */
  notice: string | null;
  /** Whether the issuer has to ask for the password. */
  again: boolean;
  /** Whether they may sign out instead, and chat as a visitor. */
  optional: boolean;
};

/** This window was opened for the sign-in only, and could not close itself. */
export type Done = { at: "done" };

export type Problem = { title: string; text: string; kind: "down" | "offline" | "session" };

export class BootError extends Error {
  readonly problem: Problem;
  /** The page's sign-in, once it is loaded. */
  readonly signIn: SignIn | null;
  readonly person: Person | null;
  constructor(problem: Problem, signIn: SignIn | null = null, person: Person | null = null) {
    super(problem.title);
    this.problem = problem;
    this.signIn = signIn;
    this.person = person;
  }
}

/** Throws a `BootError` whose texts the visitor reads. */
export async function boot(): Promise<Ready | SignedOut | Done> {
  // The assistant is a file of its own in the build, so that the browser tests can replace it.
  const loading = Promise.all([loadConfig(), import("./assistant")]);
  const [config, assistant] = await loading.catch((error: unknown) => {
    throw new BootError(unreachable(error));
  });
  let signIn: SignIn | null = null;
  let person: Person | null = null;
  let notice: string | null = null;
  const optional = config.signIn?.optional ?? false;
  if (config.signIn) {
    const { createSignIn } = await import("../sign-in").catch((error: unknown) => {
      throw new BootError(unreachable(error));
    });
    signIn = createSignIn(config.signIn);
    const arrived = await arrive(signIn);
    if (arrived === "done") return { at: "done" };
    person = await signIn.person();
    if (arrived === "failed") notice = texts.signIn.failed;
    if (!optional && (notice || !person)) {
      return { at: "signed-out", signIn, person, notice, again: false, optional };
    }
  }
  const session = createSession({ api: config.api, getToken: signIn?.getToken });
  let visitor: SessionInfo;
  try {
    visitor = await session.open();
  } catch (error) {
    if (signIn && error instanceof SessionError && error.status === 401) {
      const again = error.signInAgain;
      return { at: "signed-out", signIn, person, notice: texts.signIn.ended, again, optional };
    }
    throw new BootError(sessionProblem(error, signIn), signIn, person);
  }
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
  return {
    at: "ready",
    config,
    assistant,
    session: visitor,
    fetch,
    log,
    standIn: !loaded,
    signIn,
    person,
    notice,
  };
}

function unreachable(error: unknown): Problem {
  if (!navigator.onLine) return { kind: "offline", ...texts.startOffline };
  const detail =
    error instanceof Error && /answered \d/.test(error.message) ? ` (${error.message})` : "";
  const { title, text } = texts.startUnreachable;
  return { kind: "down", title, text: text(detail) };
}

function sessionProblem(error: unknown, signIn: SignIn | null): Problem {
  if (!(error instanceof SessionError)) return unreachable(error);
  // This account may not chat here.
  if (signIn && error.status === 403) {
    return { kind: "session", title: texts.signIn.refused, text: error.message };
  }
  if (error.status === 401 || error.status === 403) {
    const { title, text } = texts.startSignIn;
    return { kind: "session", title, text: text(error.message) };
  }
  return unreachable(error);
}
