/** Hooks for sign-in. */
import { useCallback, useEffect, useState } from "react";
import type { Person, SignIn } from "../sign-in";
import { forgetDrafts } from "../standin/drafts";
import { texts } from "./brand";

/**
 * Leaves the page to sign in, and comes back to the address that is shown now. `problem` says why
 * that did not work.
 */
export function useBegin(
  signIn: SignIn,
  again = false,
): { begin: () => void; busy: boolean; problem: string | null } {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const begin = useCallback(() => {
    setState("busy");
    const { pathname, search, hash } = location;
    signIn.begin(pathname + search + hash, { again }).catch(() => setState("failed"));
  }, [signIn, again]);
  // Without HTTPS, browsers lack the cryptography that sign-in needs.
  const why = isSecureContext ? texts.signIn.unreachable : texts.signIn.insecure;
  return { begin, busy: state === "busy", problem: state === "failed" ? why : null };
}

/** Signs out. What was typed and not sent goes, too. */
export function useSignOut(signIn: SignIn): { signOut: () => void; busy: boolean } {
  const [busy, setBusy] = useState(false);
  const signOut = useCallback(() => {
    setBusy(true);
    forgetDrafts();
    signIn.end().catch(() => setBusy(false)); // this window has no storage
  }, [signIn]);
  return { signOut, busy };
}

/**
 * Begins anew when another window has signed in, signed out or changed who is signed in since the
 * page knew `before`.
 */
export function useOtherWindows(
  signIn: SignIn | null,
  before: Person | null,
  chatting: boolean,
): void {
  useEffect(() => {
    if (!signIn) return;
    const compare = async () => {
      const now = await signIn.person();
      const same = now?.subject === before?.subject;
      // A chat goes on when the same person signs in again. The other screens wait for that.
      if (same && (chatting || now?.since === before?.since)) return;
      if (same || !before) return location.reload();
      forgetDrafts();
      location.assign("/");
    };
    void compare();
    // Back shows a page as it was left, which may be before somebody signed out.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && compare();
    addEventListener("pageshow", shown);
    const end = signIn.onChange(compare);
    return () => {
      removeEventListener("pageshow", shown);
      end();
    };
  }, [signIn, before, chatting]);
}
