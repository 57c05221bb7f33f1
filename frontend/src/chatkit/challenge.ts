/**
 * Shows the challenge that comes before an anonymous identity: Cloudflare's Turnstile.
 * https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/
 */
import type { ChallengeConfig } from "./config";

export class ChallengeError extends Error {
  override name = "ChallengeError";
}

/** The part of Turnstile's API that is used. */
type Turnstile = {
  render(element: HTMLElement, options: Record<string, unknown>): string | null | undefined;
  remove(id: string): void;
};

const TIMEOUT_MS = 10_000;
/** The widget's smallest width, unless it is compact. */
const WIDTH = 300;

let loading: Promise<Turnstile> | undefined;

/**
 * Shows the challenge in `element`, and returns the token of the solved one for the `challenge` of
 * `createSession`. The widget is removed at the end, and when `signal` aborts. Throws a
 * `ChallengeError` whose message the visitor can read.
 */
export async function solveChallenge(
  challenge: ChallengeConfig,
  element: HTMLElement,
  options: { scheme?: "light" | "dark"; signal?: AbortSignal } = {},
): Promise<string> {
  const { scheme, signal } = options;
  loading ??= load(challenge.script).catch((error: unknown) => {
    loading = undefined; // so that it can be tried again
    throw error;
  });
  const turnstile = await loading;
  signal?.throwIfAborted();
  let id: string | null | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new ChallengeError(why));
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      id = turnstile.render(element, {
        sitekey: challenge.siteKey,
        action: challenge.action,
        theme: scheme ?? "auto",
        size: element.clientWidth < WIDTH ? "compact" : "flexible",
        retry: "never", // the page says what went wrong, and has a button
        "response-field": false,
        callback: resolve,
        "error-callback": (code: unknown) => {
          fail(`The check failed${/^\d+$/.test(String(code)) ? ` (${code})` : ""}.`);
          return true; // it is handled: Turnstile need not throw
        },
        "unsupported-callback": () => fail("This browser cannot show the check."),
      });
    });
  } finally {
    if (id) turnstile.remove(id);
  }
}

function load(src: string): Promise<Turnstile> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const finish = () => {
      clearTimeout(timer);
      const { turnstile } = globalThis as { turnstile?: Turnstile };
      if (turnstile) resolve(turnstile);
      else {
        script.remove();
        reject(new ChallengeError("The check could not be loaded. Is something blocking it?"));
      }
    };
    const timer = setTimeout(finish, TIMEOUT_MS);
    script.src = src;
    script.async = true;
    script.addEventListener("load", finish);
    script.addEventListener("error", finish);
    document.head.append(script);
  });
}
