/** The page `/admin`: use and quality in pictures. A file of its own in the build. */
import "./admin.css";
import { type ReactNode, useEffect, useState } from "react";
import { texts } from "./admin-texts";
import { Figures } from "./Figures";
import { isEmpty, type Report } from "./report";

const PERIODS = [7, 30, 90];
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

type Answer =
  | { at: "loading" }
  | { at: "shown"; report: Report }
  /** `said` is the server's own sentence. */
  | { at: "refused" | "failed"; said: string };

export default function Admin(props: { chat: string; fetch: typeof globalThis.fetch }): ReactNode {
  const { chat, fetch } = props;
  const [period, setPeriod] = useState(30);
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<Answer>({ at: "loading" });

  useEffect(() => {
    const before = document.title;
    document.title = `${texts.title} – ${before}`;
    return () => {
      document.title = before;
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks again
  useEffect(() => {
    let wanted = true;
    setAnswer({ at: "loading" });
    answerOf(`${chat}/report?days=${period}`, fetch).then((came) => wanted && setAnswer(came));
    return () => {
      wanted = false;
    };
  }, [chat, fetch, period, attempt]);

  return (
    <div className="report" aria-busy={answer.at === "loading"}>
      <header>
        <h1>{texts.title}</h1>
        <fieldset disabled={answer.at === "refused"}>
          <legend>{texts.period}</legend>
          {PERIODS.map((days) => (
            <label key={days}>
              <input
                type="radio"
                name="period"
                checked={days === period}
                onChange={() => setPeriod(days)}
              />
              <span>{texts.days(days)}</span>
            </label>
          ))}
        </fieldset>
      </header>
      {answer.at === "loading" && <p role="status">{texts.loading}</p>}
      {answer.at === "shown" &&
        (isEmpty(answer.report) ? (
          <Notice {...texts.empty} />
        ) : (
          <Figures key={period} report={answer.report} />
        ))}
      {answer.at === "refused" && (
        <Notice title={texts.refused.title} text={answer.said}>
          <p>{texts.refused.text}</p>
          {LOOPBACK.includes(location.hostname) && <p>{texts.refused.here}</p>}
          <a className="pill strong" href="/">
            {texts.toChat}
          </a>
        </Notice>
      )}
      {answer.at === "failed" && (
        <Notice title={texts.unreachable.title} text={answer.said || texts.unreachable.text}>
          <button
            type="button"
            className="pill strong"
            onClick={() => setAttempt((times) => times + 1)}
          >
            {texts.tryAgain}
          </button>
        </Notice>
      )}
    </div>
  );
}

function Notice(props: { title: string; text: string; children?: ReactNode }): ReactNode {
  return (
    <div className="notice" role="status">
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </div>
  );
}

async function answerOf(url: string, fetch: typeof globalThis.fetch): Promise<Answer> {
  try {
    const response = await fetch(url);
    const body = (await response.json()) as Report & { message?: string };
    if (response.ok) return { at: "shown", report: body };
    const at = response.status === 403 ? "refused" : "failed";
    return { at, said: body.message ?? "" };
  } catch {
    return { at: "failed", said: "" };
  }
}
