import type { Problem } from "./boot";
import { texts } from "./brand";

/** A screen for when there is no chat to show: what is wrong, and what can be done. */
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
