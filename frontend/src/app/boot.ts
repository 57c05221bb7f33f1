/** Prepares the chat: loads configuration and assistant, opens the session, loads the element. */
import {
  type ChallengeConfig,
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
import { CHALLENGE_REQUIRED } from "../chatkit/session";
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

export type Problem = {
  title: string;
  text: string;
  kind: "down" | "offline" | "session" | "challenge";
};

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

/** Whether this is the address of the report, which needs no chat. */
export const atAdmin = (): boolean => location.pathname === "/admin";

/** Shows somebody new the challenge, and returns the token of the solved one. */
export type Ask = (challenge: ChallengeConfig, signIn: SignIn | null) => Promise<string>;

/** Throws a `BootError` whose texts the visitor reads. */
export async function boot(ask: Ask): Promise<Ready | SignedOut | Done> {
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
  const { challenge } = config;
  const session = createSession({
    api: config.api,
    getToken: signIn?.getToken,
    challenge: challenge ? () => ask(challenge, signIn) : undefined,
  });
  let visitor: SessionInfo;
  try {
    visitor = await session.open();
  } catch (error) {
    const refused = error instanceof SessionError && error.status === 401;
    if (signIn && refused && error.code !== CHALLENGE_REQUIRED) {
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
  const loaded = atAdmin() || (await loadChatKitScript(config.chatkitScript));
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
  if (error.code === CHALLENGE_REQUIRED) {
    return { kind: "challenge", title: texts.challenge.failed, text: error.message };
  }
  // The server cannot make a session right now, and says why.
  if (error.status === 424) {
    return { kind: "down", title: texts.startUnreachable.title, text: error.message };
  }
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
