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
import type { SignIn } from "../sign-in";
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
};

/** There is no chat before somebody signs in. `notice` says why they have to, or what went wrong. */
export type SignedOut = { at: "signed-out"; signIn: SignIn; notice: string | null };

/** This window was opened for the sign-in only, and could not close itself. */
export type Done = { at: "done" };

export type Problem = {
  title: string;
  text: string;
  kind: "down" | "offline" | "session" | "challenge";
};

export class BootError extends Error {
  readonly problem: Problem;
  /** Set when it helps to sign out and to sign in as somebody else. */
  readonly signIn: SignIn | null;
  constructor(problem: Problem, signIn: SignIn | null = null) {
    super(problem.title);
    this.problem = problem;
    this.signIn = signIn;
  }
}

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
  if (config.signIn) {
    const { createSignIn } = await import("../sign-in").catch((error: unknown) => {
      throw new BootError(unreachable(error));
    });
    signIn = createSignIn(config.signIn);
    const arrived = await arrive(signIn);
    if (arrived === "done") return { at: "done" };
    const needed = !(await signIn.subject()) && !config.signIn.optional;
    if (needed || arrived === "failed") {
      const notice = arrived === "failed" ? texts.signIn.failed : null;
      return { at: "signed-out", signIn, notice };
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
    const ended = refused && error.code !== CHALLENGE_REQUIRED;
    if (signIn && ended) return { at: "signed-out", signIn, notice: texts.signIn.ended };
    throw new BootError(sessionProblem(error, signIn), signIn);
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
  return { at: "ready", config, assistant, session: visitor, fetch, log, standIn: !loaded, signIn };
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
