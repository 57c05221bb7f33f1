import { useCallback, useEffect, useRef, useState } from "react";
import { type Recording, startRecording, transcribe, VoiceError } from "../chatkit";
import { texts } from "./brand";

/** A recording ends by itself after this time. */
const MAX_SECONDS = 300;

type State =
  | { at: "idle" }
  | { at: "recording" }
  | { at: "writing" }
  | { at: "failed"; why: string };

/** Records speech and puts its text into the composer. */
export function VoiceNote(props: {
  actions: string;
  fetch: typeof fetch;
  onText: (text: string) => Promise<void>;
}) {
  const { actions, fetch, onText } = props;
  const [state, setState] = useState<State>({ at: "idle" });
  const recording = useRef<Recording>(null);
  const abort = useRef<AbortController>(null);

  const start = async () => {
    try {
      recording.current = await startRecording();
      setState({ at: "recording" });
    } catch (error) {
      setState({ at: "failed", why: words(error) });
    }
  };

  const cancel = useCallback(() => {
    recording.current?.cancel();
    recording.current = null;
    abort.current?.abort();
    setState({ at: "idle" });
  }, []);

  const finish = useCallback(async () => {
    const audio = await recording.current?.stop();
    recording.current = null;
    if (!audio) return;
    setState({ at: "writing" });
    const controller = new AbortController();
    abort.current = controller;
    try {
      const text = await transcribe(audio, { actions, fetch, signal: controller.signal });
      if (!text) return setState({ at: "failed", why: texts.voice.nothingHeard });
      await onText(text);
      setState({ at: "idle" });
    } catch (error) {
      if (!controller.signal.aborted) setState({ at: "failed", why: words(error) });
    }
  }, [actions, fetch, onText]);

  useEffect(() => cancel, [cancel]);

  return (
    <div className="voice" data-state={state.at}>
      {state.at === "recording" ? (
        <>
          <button type="button" className="pill" onClick={cancel}>
            {texts.voice.cancel}
          </button>
          <Meter level={() => recording.current?.level() ?? 0} />
          <Timer onEnd={() => void finish()} />
          <button type="button" className="pill strong" onClick={() => void finish()}>
            {texts.voice.done}
          </button>
        </>
      ) : state.at === "writing" ? (
        <>
          <p role="status">{texts.voice.transcribing}</p>
          <button type="button" className="pill" onClick={cancel}>
            {texts.voice.cancel}
          </button>
        </>
      ) : (
        <>
          <button type="button" className="pill" onClick={() => void start()}>
            <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
              <path d="M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5zM6 11.5a6 6 0 0 0 12 0M12 17.5V21" />
            </svg>
            {texts.voice.start}
          </button>
          {state.at === "failed" && <p role="alert">{state.why}</p>}
        </>
      )}
    </div>
  );
}

const words = (error: unknown): string =>
  error instanceof VoiceError ? error.message : texts.voice.failed;

function Meter({ level }: { level: () => number }) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    let frame = 0;
    const tick = () => {
      bar.current?.style.setProperty("--level", level().toFixed(2));
      frame = requestAnimationFrame(tick);
    };
    tick();
    return () => cancelAnimationFrame(frame);
  });
  return <i className="level" ref={bar} aria-hidden="true" />;
}

function Timer({ onEnd }: { onEnd: () => void }) {
  const [seconds, setSeconds] = useState(0);
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (seconds >= MAX_SECONDS) end.current();
  }, [seconds]);
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return (
    <time role="timer" aria-label={texts.voice.recording}>
      {text}
    </time>
  );
}
