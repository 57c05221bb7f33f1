/**
 * Yours to edit: the name, logo, colours, fonts and texts of the page. The document's head, the
 * icon, the header and ChatKit's theme are made from this file.
 * What the page says for the assistant (greeting, prompts, commands) is in `assistant.ts`.
 */
import type { Theme } from "../chatkit";

export const brand = {
  name: "ChatKit Serverless",
  description: "A chat that runs on your own AWS account.",
  /** The language of the texts below, for screen readers and browsers that translate. */
  language: "en",

  /**
   * The content of an SVG of 32 by 32, for the header and the browser's tab. It may use the
   * custom properties `--page-accent`, `--page-on-accent` and so on, which follow light and dark.
   */
  logo: `
    <rect width="32" height="32" rx="9" fill="var(--page-accent)" stroke="none" />
    <path d="M8 19c2.7 0 2.7-4 5.3-4s2.7 4 5.4 4 2.7-4 5.3-4" fill="none"
      stroke="var(--page-on-accent)" stroke-width="2.6" stroke-linecap="round" />`,

  /** ChatKit's theme. The page around the chat uses its accent, surfaces and font too. */
  theme: {
    accent: { light: "#1f6f5c", dark: "#7fd1b9" },
    surface: {
      light: { background: "#fbfaf7", foreground: "#ffffff" },
      dark: { background: "#151715", foreground: "#1e211f" },
    },
    grayscale: { hue: 100, tint: 2 },
    radius: "round",
    density: "normal",
    baseSize: 16,
    fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif',
    fontFamilyMono: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace',
  } satisfies Theme,
};

/**
 * What only the page around the chat needs: text, borders, and text on the accent colour. It goes
 * into the document's head, and not into the script.
 */
export const page = {
  light: { ink: "#262724", muted: "#5b5d57", line: "#e4e2db", onAccent: "#ffffff" },
  dark: { ink: "#ebece8", muted: "#b0b3ac", line: "#343733", onAccent: "#10211c" },
  warning: "#d99100",
  headingFont: '"Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif',
};

/** Others are in `usage-texts.ts`, `data-texts.ts` and such files, which load later. */
export const texts = {
  noScript: "This chat needs JavaScript.",
  loading: "The chat is loading",
  tryAgain: "Try again",
  dismiss: "Dismiss",
  appearance: { system: "as the system", light: "light", dark: "dark" },
  appearanceIs: (now: string) => `Appearance: ${now}`,
  appearanceButton: (now: string, next: string) => `Appearance: ${now}. Change to ${next}.`,

  standIn: "chatkit.js could not be loaded, so this project’s own stand-in element is in use.",
  offline: "You are offline. What you have typed stays here; send it when the connection is back.",
  sessionExpired:
    "Your session has expired. Sign in again in another tab, then send once more; your text is still here.",
  domainKey: (host: string) =>
    `ChatKit does not show on this address. OpenAI most likely refused the domain key: register ${host} with OpenAI and deploy with its key.`,

  startOffline: {
    title: "You are offline",
    text: "The chat comes back by itself as soon as there is a connection.",
  },
  startUnreachable: {
    title: "The chat cannot be reached",
    text: (detail: string) =>
      `The server does not answer${detail}. Your conversations are safe; please try again in a moment.`,
  },
  startSignIn: {
    title: "Please sign in",
    text: (reason: string) => `${reason} Sign in again, then reload this page.`,
  },

  /** For somebody new, where a challenge comes first and has failed. */
  challenge: {
    failed: "This chat could not check that you are a person",
    failedWhileChatting:
      "This chat could not check that you are a person. Send once more to try again; your text is still here.",
  },

  /** For people who sign in. */
  signIn: {
    title: "Welcome",
    text: "Sign in to start a conversation, or to go on with one of yours.",
    button: "Sign in",
    out: "Sign out",
    leaving: "Signing out…",
    account: (name: string) => `Account of ${name}`,
    nameless: "Signed in",
    failed: "You are not signed in. Please try again.",
    unreachable: "The sign-in cannot be reached. Please try again in a moment.",
    insecure: "Sign-in works only at an address that begins with https.",
    ended: "Your sign-in has ended. Sign in again to go on.",
    endedWhileChatting:
      "Your sign-in has ended. Sign in again, then send once more; your text stays here.",
    refused: "This account cannot be used here",
    done: "You are signed in",
    doneText: "You can close this window and go on where you were.",
  },

  voice: {
    start: "Voice note",
    recording: "Recording",
    cancel: "Cancel",
    done: "Done",
    transcribing: "Writing down what you said…",
    nothingHeard: "Nothing was heard.",
    failed: "The voice note did not work. Please try again.",
  },
};
