import type { SignedOut } from "./boot";
import { brand, texts } from "./brand";
import { Logo } from "./Logo";
import { SignOut } from "./SignOut";
import { useBegin } from "./sign-in-hooks";

/** What somebody sees who has to sign in first. */
export function StartScreen({ signedOut }: { signedOut: SignedOut }) {
  const { signIn, person, notice, again, optional } = signedOut;
  const { begin, busy, problem } = useBegin(signIn, again);
  const said = problem ?? notice;
  return (
    <div className="screen welcome">
      <Logo size={56} />
      <h1>{texts.signIn.title}</h1>
      <p>{brand.description}</p>
      <p>{texts.signIn.text}</p>
      {said && (
        <p className="notice" role="alert">
          {said}
        </p>
      )}
      <button type="button" className="pill strong" onClick={begin} aria-busy={busy}>
        {texts.signIn.button}
      </button>
      {optional && person && <SignOut signIn={signIn} className="pill" />}
    </div>
  );
}
