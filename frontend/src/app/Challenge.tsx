import "./styles/challenge.css";
import { useEffect, useRef } from "react";
import { type ChallengeConfig, solveChallenge } from "../chatkit";
import type { SignIn } from "../sign-in";
import { challengeTexts } from "./challenge-texts";
import { Logo } from "./Logo";
import { SignInButton } from "./SignInButton";

/** A challenge that waits for its visitor. */
export type Asked = {
  challenge: ChallengeConfig;
  /** Whoever signs in needs no challenge. */
  signIn: SignIn | null;
  solved: (token: string) => void;
  failed: (error: unknown) => void;
};

/** What somebody new sees first, where the server asks for it. */
export function Challenge({ asked, scheme }: { asked: Asked; scheme: "light" | "dark" }) {
  const widget = useRef<HTMLDivElement>(null);
  const shown = useRef(scheme);

  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    solveChallenge(asked.challenge, widget.current as HTMLDivElement, {
      scheme: shown.current,
      signal,
    }).then(asked.solved, (error: unknown) => signal.aborted || asked.failed(error));
    return () => ending.abort();
  }, [asked]);

  return (
    <section className="screen welcome challenge" aria-labelledby="challenge">
      <Logo size={56} />
      <h1 id="challenge">{challengeTexts.title}</h1>
      <p role="status">{challengeTexts.text}</p>
      <div className="widget" ref={widget} />
      {asked.signIn && <SignInButton signIn={asked.signIn} className="pill" />}
    </section>
  );
}
