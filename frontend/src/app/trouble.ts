/** What can go wrong around a mounted chat, each as something that the page can show. */
import { type RefObject, useEffect, useState, useSyncExternalStore } from "react";
import { createAnswerWatch } from "../chatkit";
import { onAnswer } from "./answers";

const subscribe = (changed: () => void) => {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
};

export const useOnline = (): boolean => useSyncExternalStore(subscribe, () => navigator.onLine);

/** `true` from a 401 that a new token did not cure, until the server takes a request again. */
export function useUnauthorized(): boolean {
  const [unauthorized, setUnauthorized] = useState(false);
  useEffect(
    // An answer to a log entry says nothing: only ChatKit's own operations count.
    () => onAnswer((operation, { status }) => operation && setUnauthorized(status === 401)),
    [],
  );
  return unauthorized;
}

/** Fetches again while an answer is being written elsewhere. */
export function useAnswerWatch(fetchUpdates: () => Promise<void>): void {
  useEffect(() => {
    const watch = createAnswerWatch(() => void fetchUpdates());
    const end = onAnswer(watch.seen);
    return () => {
      watch.stop();
      end();
    };
  }, [fetchUpdates]);
}

/** After this, an element without a size is one that refused to show. */
const SETTLED_MS = 4_000;

/** OpenAI's element takes itself away where the domain key is not accepted. */
export function useVanished(stage: RefObject<HTMLElement | null>, standIn: boolean): boolean {
  const [vanished, setVanished] = useState(false);
  useEffect(() => {
    if (standIn) return;
    const look = () => {
      const element = stage.current?.querySelector("openai-chatkit");
      const box = element?.getBoundingClientRect();
      const hidden = !element || getComputedStyle(element).display === "none";
      setVanished(hidden || !box || box.width < 2 || box.height < 2);
    };
    const timer = setInterval(look, SETTLED_MS);
    return () => clearInterval(timer);
  }, [stage, standIn]);
  return vanished;
}
