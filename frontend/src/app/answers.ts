/** Passes the server's responses from ChatKit's `fetch` to components that mount later. */

type Listener = (operation: string | undefined, response: Response) => void;

const listeners = new Set<Listener>();

export const announceAnswer: Listener = (operation, response) => {
  for (const listener of listeners) listener(operation, response);
};

/** Returns a function that removes the listener. */
export function onAnswer(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
