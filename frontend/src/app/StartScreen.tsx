import type { SignIn } from "../sign-in";
import { brand, texts } from "./brand";
import { Logo } from "./Logo";
import { useBegin } from "./sign-in-hooks";

/** What somebody sees who has to sign in first. */
export function StartScreen({ signIn, notice }: { signIn: SignIn; notice: string | null }) {
  const { begin, busy, failed } = useBegin(signIn);
  // Elsewhere browsers have none of the cryptography that it needs.
  const problem = isSecureContext ? texts.signIn.unreachable : texts.signIn.insecure;
  const said = failed ? problem : notice;
  return (
    <div className="welcome">
      <Logo size={56} />
      <h1>{texts.signIn.title}</h1>
      <p>{brand.description}</p>
      <p>{texts.signIn.text}</p>
      {said && (
        <p className="notice" role="alert">
          {said}
        </p>
      )}
      <button type="button" onClick={begin} aria-busy={busy}>
        {texts.signIn.button}
      </button>
    </div>
  );
}
