/** A passage that an answer cites. A file of its own in the build; loads with the first click. */
import "./styles/passage.css";
import type { Entity } from "@openai/chatkit";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { passageTexts as texts } from "./passage-texts";

type Found = {
  title: string;
  path: string;
  headings: string[];
  page: number | null;
  before: string;
  text: string;
  after: string;
  link: string;
};

type Props = {
  /** What was clicked. Its id begins with `k:`. */
  entity: Entity;
  chat: string;
  fetch: typeof globalThis.fetch;
  onClose: () => void;
};

export default function Passage({ entity, chat, fetch, onClose }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const cited = useRef<HTMLElement>(null);
  const [found, setFound] = useState<Found | string>();

  useEffect(() => dialog.current?.showModal(), []);

  useEffect(() => {
    let wanted = true;
    passageOf(entity.id.slice(2), chat, fetch).then((answer) => wanted && setFound(answer));
    return () => {
      wanted = false;
    };
  }, [entity, chat, fetch]);

  useEffect(() => {
    if (found) cited.current?.scrollIntoView();
  }, [found]);

  const shown = typeof found === "object" ? found : null;
  return (
    // Escape closes a dialog, and the focus goes back to where it was: the browser does both.
    <dialog className="passage" ref={dialog} aria-labelledby="passage" onClose={onClose}>
      <header>
        <h2 id="passage">{shown?.title ?? entity.title}</h2>
        <button type="button" aria-label={texts.close} onClick={() => dialog.current?.close()}>
          ×
        </button>
      </header>
      {shown ? (
        <>
          <p>{placeOf(shown)}</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: so that keys can scroll it */}
          <div tabIndex={0} role="document">
            {shown.before && <p>{shown.before}</p>}
            <mark ref={cited}>{shown.text}</mark>
            {shown.after && <p>{shown.after}</p>}
          </div>
          <a className="pill" href={shown.link} target="_blank" rel="noopener">
            {texts.original}
          </a>
        </>
      ) : (
        <p role="status">{typeof found === "string" ? found : texts.loading}</p>
      )}
    </dialog>
  );
}

const placeOf = ({ path, headings, page }: Found): string =>
  [path, ...headings, ...(page === null ? [] : [texts.page(page)])].join(" › ");

/** The passage, or what the visitor reads instead. */
async function passageOf(
  id: string,
  chat: string,
  fetch: typeof globalThis.fetch,
): Promise<Found | string> {
  try {
    const response = await fetch(`${chat}/knowledge/passages/${encodeURIComponent(id)}`);
    const answer = (await response.json()) as Found & { message?: string };
    return response.ok ? answer : (answer.message ?? texts.unreachable);
  } catch {
    return texts.unreachable;
  }
}
