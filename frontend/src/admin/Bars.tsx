/** Names with a number each, the largest first, as a table with bars. */
import { type ReactNode, useId } from "react";
import { whole } from "./admin-texts";
import type { Bar } from "./report";

/** So many are shown. */
const SHOWN = 12;

export function Bars(props: {
  title: string;
  none: string;
  name: string;
  count: string;
  failed?: string;
  bars: Bar[];
}): ReactNode {
  const { title, none, name, count, failed, bars } = props;
  const id = useId();
  const most = bars[0]?.count || 1;
  return (
    <section className="figure" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {bars.length === 0 ? (
        <p>{none}</p>
      ) : (
        <table className="bars">
          <thead>
            <tr>
              <th scope="col">{name}</th>
              <th scope="col">{count}</th>
              {failed && <th scope="col">{failed}</th>}
            </tr>
          </thead>
          <tbody>
            {bars.slice(0, SHOWN).map((bar) => (
              <tr key={bar.name}>
                <th scope="row">
                  {bar.name}
                  <i style={{ width: `${(bar.count / most) * 100}%` }} />
                </th>
                <td>{whole(bar.count)}</td>
                {failed && <td>{whole(bar.failed ?? 0)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
