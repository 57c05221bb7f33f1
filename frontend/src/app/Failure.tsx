import type { Problem } from "./boot";
import { texts } from "./brand";

/** The screen when the chat cannot be shown: what is wrong, and a button to try again. */
export function Failure({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <div className="failure" role="alert" data-problem={problem.kind}>
      <h1>{problem.title}</h1>
      <p>{problem.text}</p>
      <button type="button" onClick={retry}>
        {texts.tryAgain}
      </button>
    </div>
  );
}
