import type { SignIn } from "../sign-in";
import type { Problem } from "./boot";
import { texts } from "./brand";
import { signOut } from "./sign-in-hooks";

/** The screen when the chat cannot be shown: what is wrong, and what to do about it. */
export function Failure(props: { problem: Problem; retry: () => void; signIn: SignIn | null }) {
  const { problem, retry, signIn } = props;
  const otherAccount = problem.kind === "session" && signIn;
  return (
    <div className="failure" role="alert" data-problem={problem.kind}>
      <h1>{problem.title}</h1>
      <p>{problem.text}</p>
      <p>
        <button type="button" onClick={retry}>
          {texts.tryAgain}
        </button>
        {otherAccount && (
          <button type="button" className="quiet" onClick={() => signOut(otherAccount)}>
            {texts.signIn.out}
          </button>
        )}
      </p>
    </div>
  );
}
