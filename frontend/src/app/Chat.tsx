import type { Entity } from "@openai/chatkit";
import { ChatKit, useChatKit } from "@openai/chatkit-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { chatKitOptions, describeError, signInAgain } from "../chatkit";
import { AGAIN, SIGN_IN } from "../sign-in/paths";
import type { PageActions } from "./assistant";
import { Banner } from "./Banner";
import type { Ready } from "./boot";
import { brand, texts } from "./brand";
import type { useScheme } from "./scheme";
import { showThreadInUrl, threadInUrl } from "./thread-url";
import { useAnswerWatch, useOnline, useUnauthorized, useVanished } from "./trouble";
import { VoiceNote } from "./VoiceNote";

// The chat goes on without the line when its file cannot be loaded.
const Foot = lazy(() => import("./Foot").catch(() => ({ default: () => null })));

type Opened = { entity: Entity; Passage: typeof import("./Passage").default };

export function Chat({ ready, look }: { ready: Ready; look: ReturnType<typeof useScheme> }) {
  const { config, session, fetch, log, standIn, signIn, notice } = ready;
  const { assistantOptions, locale, onDeeplink, onEffect } = ready.assistant;
  const [said, setSaid] = useState<string | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const actions = useRef<PageActions>(null);
  const assistant = useMemo(() => {
    const own = assistantOptions(() => actions.current as PageActions);
    const onEntityClick = (entity: Entity) => {
      // A passage that an answer cites, and not something that was mentioned.
      if (!entity.id.startsWith("k:")) return own.onEntityClick?.(entity);
      import("./Passage").then(
        (file) => setOpened({ entity, Passage: file.default }),
        () => setSaid(texts.startUnreachable.title),
      );
    };
    return { ...own, onEntityClick };
  }, [assistantOptions]);
  const [initialThread] = useState(threadInUrl);
  const stage = useRef<HTMLDivElement>(null);

  const options = chatKitOptions({
    config,
    fetch,
    scheme: look.scheme,
    theme: brand.theme,
    assistant,
    session,
    initialThread,
    locale,
  });
  const chat = useChatKit({
    ...options,
    onThreadChange: ({ threadId }) => showThreadInUrl(threadId),
    onEffect: ({ name, data }) => onEffect(name, data ?? {}, page),
    onDeeplink: ({ name, data }) => onDeeplink(name, data ?? {}, page),
    onError: ({ error }) => log("error", "chatkit_error", describeError(error)),
    onLog: ({ name, data }) => log("info", name, data),
  });
  const { setComposerValue, focusComposer, sendCustomAction, setThreadId, fetchUpdates } = chat;

  const page: PageActions = {
    sendCustomAction,
    setComposerValue,
    focusComposer,
    setLook: look.choose,
    say: setSaid,
  };
  actions.current = page;

  const online = useOnline();
  const refusal = useUnauthorized(signIn);
  const challenged = config.challenge && !session.signedIn;
  const vanished = useVanished(stage, standIn);
  useAnswerWatch(fetchUpdates);

  useEffect(() => {
    const back = () => void setThreadId(threadInUrl());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, [setThreadId]);

  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 4_000);
    return () => clearTimeout(timer);
  }, [said]);

  const write = useCallback(
    async (text: string) => {
      await setComposerValue({ text });
      await focusComposer();
    },
    [setComposerValue, focusComposer],
  );

  return (
    <>
      {standIn && <Banner id="stand-in" text={texts.standIn} dismissible />}
      {notice && <Banner id="sign-in" text={notice} tone="warning" dismissible />}
      {!online && <Banner id="offline" text={texts.offline} tone="warning" />}
      {refusal &&
        (challenged ? (
          <Banner id="challenge" text={texts.challenge.failedWhileChatting} tone="warning" />
        ) : signIn ? (
          <Banner id="session" text={texts.signIn.endedWhileChatting} tone="warning">
            {/* In a window of its own, so that this one keeps what was typed. */}
            <a
              className="pill strong"
              href={SIGN_IN + (signInAgain(refusal) ? AGAIN : "")}
              target="_blank"
              rel="noopener"
            >
              {texts.signIn.button}
            </a>
          </Banner>
        ) : (
          <Banner id="session" text={texts.sessionExpired} tone="warning" />
        ))}
      {vanished && (
        <Banner id="domain-key" text={texts.domainKey(location.hostname)} tone="warning" />
      )}
      {said && (
        <p className="toast" role="status" data-banner="said">
          {said}
        </p>
      )}
      {opened && (
        <opened.Passage
          entity={opened.entity}
          chat={config.api.chat}
          fetch={fetch}
          onClose={() => setOpened(null)}
        />
      )}
      <div className="element" ref={stage}>
        <ChatKit control={chat.control} />
      </div>
      <Suspense fallback={<div className="foot" />}>
        <Foot ready={ready} say={setSaid} />
      </Suspense>
      {config.features.voiceNotes && (
        <VoiceNote actions={config.api.actions} fetch={fetch} onText={write} />
      )}
    </>
  );
}
