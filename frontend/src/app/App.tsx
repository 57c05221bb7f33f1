import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import {
  type Ask,
  atAdmin,
  BootError,
  boot,
  type Done,
  type Problem,
  type Ready,
  type SignedOut,
} from "./boot";
import { texts } from "./brand";
import type { Asked, Challenge } from "./Challenge";
import { Chat } from "./Chat";
import { Failure } from "./Failure";
import { Header } from "./Header";
import { StartScreen } from "./StartScreen";
import { useScheme } from "./scheme";
import { useOtherWindows } from "./sign-in-hooks";

const Admin = lazy(() =>
  import("../admin/Admin").catch(() => ({ default: () => texts.startUnreachable.title })),
);

type Failed = { at: "failed"; problem: Problem } & Pick<BootError, "signIn" | "person">;
type Challenged = { Screen: typeof Challenge; asked: Asked };
type State = { at: "loading" } | Ready | SignedOut | Done | Failed;

export function App() {
  const [state, setState] = useState<State>({ at: "loading" });
  const [challenged, setChallenged] = useState<Challenged | null>(null);
  const look = useScheme();
  const started = useRef(false);

  useEffect(() => {
    document.documentElement.dataset.scheme = look.scheme;
  }, [look.scheme]);

  const ask: Ask = useCallback(async (challenge, signIn) => {
    const { Challenge: Screen } = await import("./Challenge").catch(() => {
      throw new Error(texts.startUnreachable.text(""));
    });
    const token = new Promise<string>((solved, failed) => {
      setChallenged({ Screen, asked: { challenge, signIn, solved, failed } });
    });
    return token.finally(() => setChallenged(null));
  }, []);

  const start = useCallback(async () => {
    setState({ at: "loading" });
    try {
      setState(await boot(ask));
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      const { problem, signIn, person } = error;
      setState({ at: "failed", problem, signIn, person });
    }
  }, [ask]);

  useEffect(() => {
    // StrictMode mounts twice, but the session must be requested once.
    if (started.current) return;
    started.current = true;
    void start();
  }, [start]);

  const offline = state.at === "failed" && state.problem.kind === "offline";
  useEffect(() => {
    if (!offline) return;
    const retry = () => void start();
    addEventListener("online", retry);
    return () => removeEventListener("online", retry);
  }, [offline, start]);

  const { signIn, person } = "signIn" in state ? state : { signIn: null, person: null };
  useOtherWindows(signIn, person, state.at === "ready");

  return (
    <div className="page">
      <Header ready={state.at === "ready" ? state : null} look={look} />
      <main className="stage">
        {challenged && <challenged.Screen asked={challenged.asked} scheme={look.scheme} />}
        {state.at === "loading" && !challenged && <Loading />}
        {state.at === "failed" && (
          <Failure problem={state.problem} retry={() => void start()} signIn={state.signIn} />
        )}
        {state.at === "signed-out" && <StartScreen signedOut={state} />}
        {state.at === "done" && (
          <div className="screen" role="status">
            <h1>{texts.signIn.done}</h1>
            <p>{texts.signIn.doneText}</p>
          </div>
        )}
        {state.at === "ready" &&
          (atAdmin() ? (
            <Suspense>
              <Admin chat={state.config.api.chat} fetch={state.fetch} />
            </Suspense>
          ) : (
            <Chat ready={state} look={look} />
          ))}
      </main>
    </div>
  );
}

/** Has the shape of the chat, so that nothing jumps when the chat appears. */
function Loading() {
  return (
    <div className="loading" role="status" aria-label={texts.loading}>
      <i />
      <i />
    </div>
  );
}
