import { useState } from "react";
import type { SignIn } from "../sign-in";
import { forgetDrafts } from "../standin/drafts";
import { texts } from "./brand";

/** Signs out. What was typed and not sent goes, too. */
export function SignOut({ signIn, className }: { signIn: SignIn; className?: string }) {
  const [busy, setBusy] = useState(false);
  const signOut = () => {
    setBusy(true);
    forgetDrafts();
    signIn.end().catch(() => setBusy(false)); // this window has no storage
  };
  return (
    <button type="button" className={className} onClick={signOut} aria-busy={busy}>
      {busy ? texts.signIn.leaving : texts.signIn.out}
    </button>
  );
}
