import { useCallback, useEffect, useRef, useState } from "react";
import { BootError, boot, type Problem, type Ready } from "./boot";
import { texts } from "./brand";
import { Chat } from "./Chat";
import { Failure } from "./Failure";
import { Header } from "./Header";
import { useScheme } from "./scheme";

type State = { at: "loading" } | { at: "ready"; ready: Ready } | { at: "failed"; problem: Problem };

export function App() {
  const [state, setState] = useState<State>({ at: "loading" });
  const look = useScheme();
  const started = useRef(false);

  useEffect(() => {
    document.documentElement.dataset.scheme = look.scheme;
  }, [look.scheme]);

  const start = useCallback(async () => {
    setState({ at: "loading" });
    try {
      setState({ at: "ready", ready: await boot() });
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      setState({ at: "failed", problem: error.problem });
    }
  }, []);

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

  return (
    <div className="page">
      <Header ready={state.at === "ready" ? state.ready : null} look={look} />
      <main className="stage">
        {state.at === "loading" && <Loading />}
        {state.at === "failed" && <Failure problem={state.problem} retry={() => void start()} />}
        {state.at === "ready" && <Chat ready={state.ready} look={look} />}
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
