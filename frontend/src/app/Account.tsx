import type { SessionInfo } from "../chatkit";
import type { SignIn } from "../sign-in";
import { texts } from "./brand";
import { SignInButton } from "./SignInButton";
import { SignOut } from "./SignOut";

/** In the header: who has signed in, with a menu, or a button to sign in. */
export function Account({ signIn, session }: { signIn: SignIn; session: SessionInfo }) {
  if (!session.signedIn) {
    return <SignInButton signIn={signIn} className="pill sign-in" noticeClass="toast" />;
  }
  return <Menu signIn={signIn} user={session.user} />;
}

function Menu({ signIn, user }: { signIn: SignIn; user: SessionInfo["user"] }) {
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
        <SignOut signIn={signIn} />
      </div>
    </>
  );
}
