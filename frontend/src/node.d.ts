/** The one thing of Node's that `vite.config.ts` reads. */
declare const process: { env: Record<string, string | undefined> };
