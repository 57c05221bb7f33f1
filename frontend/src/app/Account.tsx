import type { SignIn } from "../sign-in";
import type { Person } from "./boot";
import { texts } from "./brand";
import { signOut, useBegin } from "./sign-in-hooks";

/** In the header: who has signed in, with a menu, or a button to sign in. */
export function Account({ signIn, person }: { signIn: SignIn; person: Person | null }) {
  return person ? <Menu signIn={signIn} person={person} /> : <SignInButton signIn={signIn} />;
}

function Menu({ signIn, person }: { signIn: SignIn; person: Person }) {
  const name = person.name || person.email || texts.signIn.nameless;
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
          {person.email && person.email !== name && <span>{person.email}</span>}
        </p>
        <button type="button" onClick={() => signOut(signIn)}>
          {texts.signIn.out}
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
