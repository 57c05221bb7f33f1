/** What the one `fetch`, made before React mounts, tells the components that mount later. */
type Hooks = {
  unauthorized: () => void;
  response: (operation: string | undefined, response: Response) => void;
};

export const hooks: Hooks = { unauthorized: () => undefined, response: () => undefined };
