/** A visitor's own data: to save it, and to delete it. A file of its own in the build. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { SessionInfo } from "../chatkit";
import { forgetDrafts } from "../standin/drafts";
import { dataTexts as texts } from "./data-texts";

type Props = {
  chat: string;
  fetch: typeof globalThis.fetch;
  session: SessionInfo;
  /** Ends the sign-in; `null` for an anonymous visitor. */
  signOut: (() => Promise<unknown>) | null;
  onClose: () => void;
  /** For tests. */
  startAnew?: () => void;
};

/** Requests for one deletion: each goes on where the one before has ended. */
const MAX_ROUNDS = 100;

export default function YourData(props: Props): ReactNode {
  const { chat, fetch, session, signOut, onClose } = props;
  const startAnew = props.startAnew ?? (() => location.replace("/"));
  const dialog = useRef<HTMLDialogElement>(null);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");

  useEffect(() => dialog.current?.showModal(), []);

  const run = async (doing: string, work: () => Promise<string>) => {
    setBusy(true);
    setSaid(doing);
    setSaid(await work().catch((error: unknown) => messageOf(error)));
    setBusy(false);
  };
  const download = () => run(texts.downloading, () => saveAll(chat, fetch));
  const remove = () =>
    run(texts.deleting, async () => {
      await deleteAll(chat, fetch);
      forgetDrafts();
      if (signOut) await signOut().catch(startAnew);
      else startAnew();
      return texts.deleted;
    });
  const copy = async () => {
    await navigator.clipboard?.writeText(session.user.id).catch(() => undefined);
    setSaid(texts.copied);
  };

  return (
    // Escape closes a dialog, and the focus goes back to where it was: the browser does both.
    <dialog className="your-data" ref={dialog} aria-labelledby="your-data" onClose={onClose}>
      <header>
        <h2 id="your-data">{texts.title}</h2>
        <button type="button" aria-label={texts.close} onClick={() => dialog.current?.close()}>
          ×
        </button>
      </header>
      <p>
        {texts.id} <code>{session.user.id}</code>{" "}
        <button type="button" onClick={copy}>
          {texts.copy}
        </button>
      </p>
      <p>{texts.what}</p>
      <div>
        <button type="button" className="pill" disabled={busy} onClick={download}>
          {texts.download}
        </button>
        <button
          type="button"
          className="pill"
          disabled={busy}
          aria-expanded={asking}
          onClick={() => setAsking(!asking)}
        >
          {texts.delete}
        </button>
      </div>
      {asking && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (typed.trim().toLowerCase() === texts.word) void remove();
          }}
        >
          <p>{texts.consequences}</p>
          {session.signedIn && <p>{texts.account}</p>}
          <label>
            {texts.confirm}
            <input
              value={typed}
              autoComplete="off"
              onChange={(event) => setTyped(event.target.value)}
            />
          </label>
          <button
            type="submit"
            className="pill strong"
            disabled={busy || typed.trim().toLowerCase() !== texts.word}
          >
            {texts.deleteForGood}
          </button>
        </form>
      )}
      <p role="status">{said}</p>
    </dialog>
  );
}

/** Saves everything as a file. Throws what the visitor reads instead. */
async function saveAll(chat: string, fetch: typeof globalThis.fetch): Promise<string> {
  const response = await answered(fetch(`${chat}/me/export`));
  const file = await response.blob().catch(() => new Blob());
  // The answer is a stream, which may break off.
  if (!(await file.slice(-20).text()).includes('"complete": true')) throw new Error(texts.brokeOff);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = texts.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return texts.downloaded;
}

async function deleteAll(chat: string, fetch: typeof globalThis.fetch): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const asked = fetch(`${chat}/me/delete`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const { done } = (await (await answered(asked)).json()) as { done: boolean };
    if (done) return;
  }
  throw new Error(texts.unfinished);
}

async function answered(asked: Promise<Response>): Promise<Response> {
  const response = await asked.catch(() => {
    throw new Error(texts.unreachable);
  });
  if (response.ok) return response;
  const { message } = (await response.json().catch(() => ({}))) as { message?: string };
  throw new Error(message ?? texts.unreachable);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : texts.unreachable;
