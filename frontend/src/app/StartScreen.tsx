import type { SignedOut } from "./boot";
import { brand, texts } from "./brand";
import { Logo } from "./Logo";
import { SignInButton } from "./SignInButton";
import { SignOut } from "./SignOut";

/** What somebody sees who has to sign in first. */
export function StartScreen({ signedOut }: { signedOut: SignedOut }) {
  const { signIn, person, notice, again, optional } = signedOut;
  return (
    <div className="screen welcome">
      <Logo size={56} />
      <h1>{texts.signIn.title}</h1>
      <p>{brand.description}</p>
      <p>{texts.signIn.text}</p>
      <SignInButton signIn={signIn} className="pill strong" before={notice} again={again} />
      {optional && person && <SignOut signIn={signIn} className="pill" />}
    </div>
  );
}
