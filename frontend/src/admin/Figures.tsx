/** The report: totals, plots, and the questions to look at. */
import { type ReactNode, useState } from "react";
import { dollars, milliseconds, moment, short, texts, whole } from "./admin-texts";
import { Bars } from "./Bars";
import { Plot } from "./Plot";
import {
  byModel,
  counted,
  daysOf,
  errorBars,
  firstTokens,
  modelNames,
  peak,
  type Question,
  type Report,
  type Row,
  toolBars,
  totalsOf,
} from "./report";

const OUTCOMES = { completed: "--good", waiting: "--calm", stopped: "--odd", failed: "--bad" };
const keysOf = Object.keys(OUTCOMES);

const one = (key: string, label: string) => [{ key, label, tone: "--page-accent" }];
const rowSum = ({ day: _, ...numbers }: Row): number =>
  Object.values(numbers).reduce<number>((so_far, number) => so_far + Number(number), 0);

export function Figures({ report }: { report: Report }): ReactNode {
  const days = daysOf(report);
  const totals = totalsOf(days);
  const messages = days.map(({ day, messages }) => ({ day, messages }));
  const people = days.map(({ day, people }) => ({ day, people }));
  const messagesPeak = peak(messages, ({ messages }) => Number(messages));
  const peoplePeak = peak(people, ({ people }) => Number(people));
  const tokens = byModel(days, ({ inputTokens, outputTokens }) => inputTokens + outputTokens);
  const costs = byModel(days, ({ dollars }) => dollars);
  const costsPeak = peak(costs.rows, rowSum);
  return (
    <>
      <p className="range">{texts.range(report.from, report.to)}</p>
      <Tiles totals={totals} />
      <div className="figures">
        <Plot
          title={texts.messages.title}
          summary={texts.messages.summary(totals.messages, messagesPeak.day, messagesPeak.value)}
          rows={messages}
          series={one("messages", texts.messages.series)}
          written={whole}
        />
        <Plot
          title={texts.people.title}
          summary={texts.people.summary(peoplePeak.day, peoplePeak.value)}
          rows={people}
          series={one("people", texts.people.series)}
          written={whole}
        />
        <Plot
          title={texts.tokens.title}
          summary={texts.tokens.summary(totals)}
          {...tokens}
          written={whole}
        />
        <Plot
          title={texts.dollars.title}
          summary={texts.dollars.summary(totals.dollars, costsPeak.day, costsPeak.value)}
          {...costs}
          written={dollars}
        />
        <FirstToken days={days} />
        <Plot
          title={texts.outcomes.title}
          summary={texts.outcomes.summary(totals)}
          rows={counted(days, ({ outcomes }) => outcomes, keysOf)}
          series={Object.entries(OUTCOMES).map(([key, tone]) => ({
            key,
            label: texts.outcomes.names[key] ?? key,
            tone,
          }))}
          written={whole}
        />
        <Plot
          title={texts.feedback.title}
          summary={texts.feedback.summary(totals)}
          rows={counted(days, ({ feedback }) => feedback, ["positive", "negative"])}
          series={[
            { key: "positive", label: texts.feedback.positive, tone: "--good" },
            { key: "negative", label: texts.feedback.negative, tone: "--bad" },
          ]}
          written={whole}
        />
        <div className="stacked">
          <Bars {...texts.tools} bars={toolBars(days)} />
          <Bars {...texts.errors} bars={errorBars(days)} />
        </div>
      </div>
      <Questions questions={report.questions} />
    </>
  );
}

function Tiles({ totals }: { totals: ReturnType<typeof totalsOf> }): ReactNode {
  const tiles = {
    messages: whole(totals.messages),
    people: whole(totals.people),
    runs: whole(totals.runs),
    failed: texts.failedShare(totals),
    liked: whole(totals.liked),
    disliked: whole(totals.disliked),
    tokens: short(totals.read + totals.written),
    dollars: dollars(totals.dollars),
  };
  return (
    <section aria-label={texts.totals}>
      <dl className="tiles">
        {Object.entries(tiles).map(([name, value]) => (
          <div key={name}>
            <dt>{texts.tiles[name as keyof typeof tiles]}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Of one model, because the times of several models cannot be made into one. */
function FirstToken({ days }: { days: ReturnType<typeof daysOf> }): ReactNode {
  const names = modelNames(days);
  const [chosen, choose] = useState(names[0] ?? "");
  const rows = firstTokens(days, chosen);
  const { day, value } = peak(rows, ({ p90 }) => Number(p90));
  return (
    <Plot
      title={texts.firstToken.title}
      summary={texts.firstToken.summary(chosen, day, value)}
      rows={rows}
      series={[
        { key: "p50", label: texts.firstToken.p50, tone: "--page-accent" },
        { key: "p90", label: texts.firstToken.p90, tone: "--odd" },
      ]}
      kind="line"
      written={milliseconds}
    >
      {names.length > 1 && (
        <label className="pick">
          {texts.firstToken.model}{" "}
          <select value={chosen} onChange={({ target }) => choose(target.value)}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
    </Plot>
  );
}

function Questions({ questions }: { questions: Question[] }): ReactNode {
  const names = texts.questions;
  const withText = questions.some(({ text }) => text !== null);
  return (
    <section className="figure questions" aria-labelledby="questions">
      <h2 id="questions">{names.title}</h2>
      <p>{names.text}</p>
      {questions.length === 0 ? (
        <p>{names.none}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: so that keys can scroll it
        <section className="numbers" tabIndex={0} aria-label={texts.tableOf(names.title)}>
          <table>
            <thead>
              <tr>
                <th scope="col">{names.at}</th>
                <th scope="col">{names.why}</th>
                {withText && <th scope="col">{names.question}</th>}
                <th scope="col">{names.thread}</th>
              </tr>
            </thead>
            <tbody>
              {questions.map(({ at, why, thread, item, text }) => (
                <tr key={`${thread} ${item} ${why}`}>
                  <td>{moment(at)}</td>
                  <td>{names.whys[why] ?? why}</td>
                  {withText && <td className="words">{text}</td>}
                  <td>
                    <code>{thread}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
