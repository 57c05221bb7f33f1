/** The server's answers, as the one `fetch` sees them, for components that mount after it. */

type Listener = (operation: string | undefined, response: Response) => void;

const listeners = new Set<Listener>();

export const announceAnswer: Listener = (operation, response) => {
  for (const listener of listeners) listener(operation, response);
};

/** Returns what ends it. */
export function onAnswer(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
