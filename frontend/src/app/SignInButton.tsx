import { useState } from "react";
import type { SignIn } from "../sign-in";
import { texts } from "./brand";

/**
 * Leaves the page to sign in, and comes back to the address that is shown now. Above the button is
 * what went wrong: with it, or `before`.
 */
export function SignInButton(props: {
  signIn: SignIn;
  className: string;
  noticeClass?: string;
  before?: string | null;
  /** Whether the issuer has to ask for the password. */
  again?: boolean;
}) {
  const { signIn, className, noticeClass = "notice", before, again = false } = props;
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const begin = () => {
    setState("busy");
    const { pathname, search, hash } = location;
    signIn.begin(pathname + search + hash, { again }).catch(() => setState("failed"));
  };
  // Without HTTPS, browsers lack the cryptography that sign-in needs.
  const why = isSecureContext ? texts.signIn.unreachable : texts.signIn.insecure;
  const notice = state === "failed" ? why : before;
  return (
    <>
      {notice && (
        <p className={noticeClass} role="alert">
          {notice}
        </p>
      )}
      <button type="button" className={className} onClick={begin} aria-busy={state === "busy"}>
        {texts.signIn.button}
      </button>
    </>
  );
}
