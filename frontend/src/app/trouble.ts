/** Hooks for what can fail while the chat is shown. */
import { type RefObject, useEffect, useState, useSyncExternalStore } from "react";
import { createAnswerWatch } from "../chatkit";
import type { SignIn } from "../sign-in";
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

/**
 * The 401 that a new token did not fix, until the server accepts a request again or the person has
 * signed in again in another window.
 */
export function useUnauthorized(signIn: SignIn | null): Response | null {
  const [refusal, setRefusal] = useState<Response | null>(null);
  useEffect(
    () =>
      onAnswer((operation, response) => {
        // The response to a log entry does not count, only those to ChatKit's operations.
        if (operation) setRefusal(response.status === 401 ? response : null);
      }),
    [],
  );
  useEffect(() => signIn?.onChange(() => setRefusal(null)), [signIn]);
  return refusal;
}

/** Fetches again while an answer is being written for another window. */
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

/** An element that has no size after this time refuses to show. */
const SETTLED_MS = 4_000;

/** OpenAI's element hides itself when its domain key is not accepted. */
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
