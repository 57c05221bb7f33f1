import type { SignIn } from "../sign-in";
import type { Problem } from "./boot";
import { texts } from "./brand";
import { useSignOut } from "./sign-in-hooks";

/** The screen when the chat cannot be shown: what is wrong, and what to do about it. */
export function Failure(props: { problem: Problem; retry: () => void; signIn: SignIn | null }) {
  const { problem, retry, signIn } = props;
  return (
    <div className="failure" role="alert" data-problem={problem.kind}>
      <h1>{problem.title}</h1>
      <p>{problem.text}</p>
      <p>
        <button type="button" onClick={retry}>
          {texts.tryAgain}
        </button>
        {problem.kind === "session" && signIn && <SignOut signIn={signIn} />}
      </p>
    </div>
  );
}

/** For whoever has another account. */
function SignOut({ signIn }: { signIn: SignIn }) {
  const { signOut, busy } = useSignOut(signIn);
  return (
    <button type="button" className="quiet" onClick={signOut} aria-busy={busy}>
      {busy ? texts.signIn.leaving : texts.signIn.out}
    </button>
  );
}
