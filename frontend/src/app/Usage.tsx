/** A visitor's own use, in the line under the chat. */
import { type ReactNode, useEffect, useState } from "react";
import { nearlyUsed, today } from "./usage-texts";

/** `resets_at` is in Unix seconds. */
type Limit = { limit: string; used: number; of: number; resets_at: number };

/** From this share of a limit on, the line says when it resets. The server tells people then, too. */
const NEAR = 0.8;

const share = ({ used, of }: Limit): number => used / of;

export default function Usage(props: { chat: string; fetch: typeof globalThis.fetch }): ReactNode {
  const limit = useNearestLimit(props.chat, props.fetch);
  return (
    <p className="usage">
      {limit && today[limit.limit]?.(limit.used, limit.of)}{" "}
      {/* Its words stay the same until the limit resets, so they are read out once. */}
      <span role="status">
        {limit && share(limit) >= NEAR && nearlyUsed(timeOfDay(limit.resets_at))}
      </span>
    </p>
  );
}

/** The limit of the day that is nearest to its end, asked for at first and after each answer. */
function useNearestLimit(chat: string, fetch: typeof globalThis.fetch): Limit | undefined {
  const [limit, setLimit] = useState<Limit>();
  useEffect(() => {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      const mine = asked;
      const limits = await limitsOf(chat, fetch);
      if (mine === asked && limits) setLimit(nearest(limits));
    };
    void ask();
    // The event does not bubble. Both elements send it, also after an answer that was refused.
    document.addEventListener("chatkit.response.end", ask, true);
    return () => {
      asked += 1;
      document.removeEventListener("chatkit.response.end", ask, true);
    };
  }, [chat, fetch]);
  return limit;
}

/** Nothing when the server does not say: then the line stays as it is. */
async function limitsOf(
  chat: string,
  fetch: typeof globalThis.fetch,
): Promise<Limit[] | undefined> {
  try {
    const response = await fetch(`${chat}/usage`);
    if (!response.ok) return undefined;
    return ((await response.json()) as { limits: Limit[] }).limits;
  } catch {
    return undefined;
  }
}

function nearest(limits: Limit[]): Limit | undefined {
  const daily = limits.filter(({ limit }) => limit in today);
  return daily.sort((one, other) => share(other) - share(one))[0];
}

const timeOfDay = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleTimeString(document.documentElement.lang, {
    hour: "numeric",
    minute: "2-digit",
  });
