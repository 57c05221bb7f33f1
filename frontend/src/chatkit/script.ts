/** Loads OpenAI's `chatkit.js`, which defines the element `openai-chatkit`. */

export const ELEMENT = "openai-chatkit";

/** Long enough for a slow phone, and short enough to wait in front of an empty page. */
const TIMEOUT_MS = 8_000;

/**
 * Resolves to `true` when the element is defined, to `false` when the script failed to load, ran
 * without defining it, or took longer than `timeoutMs`. Never rejects.
 */
export function loadChatKitScript(src: string, timeoutMs = TIMEOUT_MS): Promise<boolean> {
  if (customElements.get(ELEMENT)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => finish(false), timeoutMs);
    function finish(loaded: boolean): void {
      clearTimeout(timer);
      if (!loaded) script.remove();
      resolve(loaded);
    }
    script.src = src;
    script.async = true;
    script.addEventListener("error", () => finish(false));
    void customElements.whenDefined(ELEMENT).then(() => finish(true));
    document.head.append(script);
  });
}
