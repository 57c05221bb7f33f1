import type { SessionInfo } from "../chatkit";
import type { SignIn } from "../sign-in";
import { texts } from "./brand";
import { useBegin, useSignOut } from "./sign-in-hooks";

/** In the header: who has signed in, with a menu, or a button to sign in. */
export function Account({ signIn, session }: { signIn: SignIn; session: SessionInfo }) {
  if (!session.signedIn) return <SignInButton signIn={signIn} />;
  return <Menu signIn={signIn} user={session.user} />;
}

function Menu({ signIn, user }: { signIn: SignIn; user: SessionInfo["user"] }) {
  const { signOut, busy } = useSignOut(signIn);
  const name = user.name || user.email || texts.signIn.nameless;
  return (
    <>
      <button
        type="button"
        className="account"
        popoverTarget="account"
        aria-label={texts.signIn.account(name)}
      >
        <i data-initial={[...name][0]?.toUpperCase()} />
        <span className="name">{name}</span>
      </button>
      <div id="account" className="menu" popover="auto">
        <p>
          <b>{name}</b>
          {user.email && user.email !== name && <span>{user.email}</span>}
        </p>
        <button type="button" onClick={signOut} aria-busy={busy}>
          {busy ? texts.signIn.leaving : texts.signIn.out}
        </button>
      </div>
    </>
  );
}

function SignInButton({ signIn }: { signIn: SignIn }) {
  const { begin, busy, failed } = useBegin(signIn);
  return (
    <>
      {failed && (
        <p className="toast" role="alert">
          {texts.signIn.unreachable}
        </p>
      )}
      <button type="button" className="sign-in" onClick={begin} aria-busy={busy}>
        {texts.signIn.button}
      </button>
    </>
  );
}
