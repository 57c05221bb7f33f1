/** Hooks for sign-in. */
import { useCallback, useEffect, useState } from "react";
import type { SignIn } from "../sign-in";
import { forgetDrafts } from "../standin/drafts";

/** Leaves the page to sign in, and comes back to the address that is shown now. */
export function useBegin(signIn: SignIn): { begin: () => void; busy: boolean; failed: boolean } {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const begin = useCallback(() => {
    setState("busy");
    const { pathname, search, hash } = location;
    signIn.begin(pathname + search + hash).catch(() => setState("failed"));
  }, [signIn]);
  return { begin, busy: state === "busy", failed: state === "failed" };
}

/** Signs out. What was typed and not sent goes, too. */
export function useSignOut(signIn: SignIn): { signOut: () => void; busy: boolean } {
  const [busy, setBusy] = useState(false);
  const signOut = useCallback(() => {
    setBusy(true);
    forgetDrafts();
    void signIn.end();
  }, [signIn]);
  return { signOut, busy };
}

/** Begins anew when another window has signed in, signed out or changed who is signed in. */
export function useOtherWindows(signIn: SignIn | null): void {
  useEffect(() => {
    if (!signIn) return;
    const asked = signIn.subject();
    const compare = async () => {
      const before = await asked;
      if ((await signIn.subject()) === before) return;
      if (before === null) return location.reload();
      forgetDrafts();
      location.assign("/");
    };
    // Back shows a page as it was left, which may be before somebody signed out.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && compare();
    addEventListener("pageshow", shown);
    const end = signIn.onChange(compare);
    return () => {
      removeEventListener("pageshow", shown);
      end();
    };
  }, [signIn]);
}
