import { useEffect } from "react";
import type { Person, SignIn } from "../sign-in";
import { forgetDrafts } from "../standin/drafts";

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
