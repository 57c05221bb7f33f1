import type { SignIn } from "../sign-in";
import type { Problem } from "./boot";
import { texts } from "./brand";
import { SignOut } from "./SignOut";

/** The screen when the chat cannot be shown: what is wrong, and what to do about it. */
export function Failure(props: { problem: Problem; retry: () => void; signIn: SignIn | null }) {
  const { problem, retry, signIn } = props;
  return (
    <div className="screen failure" role="alert" data-problem={problem.kind}>
      <h1>{problem.title}</h1>
      <p>{problem.text}</p>
      <p>
        <button type="button" className="pill strong" onClick={retry}>
          {texts.tryAgain}
        </button>
        {/* For whoever has another account. */}
        {problem.kind === "session" && signIn && <SignOut signIn={signIn} className="pill" />}
      </p>
    </div>
  );
}
