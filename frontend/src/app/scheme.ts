/** Light or dark: the system's setting until the visitor chooses. */
import type { ColorScheme } from "@openai/chatkit";
import { useEffect, useState, useSyncExternalStore } from "react";

export type Choice = ColorScheme | "system";

const KEY = "chatkit.scheme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

const subscribe = (changed: () => void) => {
  dark.addEventListener("change", changed);
  return () => dark.removeEventListener("change", changed);
};

export function useScheme(): {
  scheme: ColorScheme;
  choice: Choice;
  choose: (choice: Choice) => void;
} {
  const system = useSyncExternalStore(subscribe, () => dark.matches);
  const [choice, setChoice] = useState(stored);
  useEffect(() => {
    try {
      if (choice === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      // This window has no storage: the choice is lost with the page.
    }
  }, [choice]);
  const scheme = choice === "system" ? (system ? "dark" : "light") : choice;
  return { scheme, choice, choose: setChoice };
}
