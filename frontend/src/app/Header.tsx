import { Account } from "./Account";
import type { Ready } from "./boot";
import { brand, texts } from "./brand";
import { Logo } from "./Logo";
import type { Choice, useScheme } from "./scheme";

const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };

export function Header({
  ready,
  look,
}: {
  ready: Ready | null;
  look: ReturnType<typeof useScheme>;
}) {
  const { choice, choose } = look;
  const names = texts.appearance;
  return (
    <header className="bar">
      <a className="brand" href="/">
        <Logo size={26} />
        <span>{brand.name}</span>
      </a>
      {ready && <span className="model">{ready.config.model.label}</span>}
      <button
        type="button"
        className="look"
        onClick={() => choose(NEXT[choice])}
        aria-label={texts.appearanceButton(names[choice], names[NEXT[choice]])}
        title={texts.appearanceIs(names[choice])}
      >
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          {choice === "light" && (
            <path d="M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.7 5.7l1 1M17.3 17.3l1 1M18.3 5.7l-1 1M6.7 17.3l-1 1" />
          )}
          {choice === "dark" && <path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z" />}
          {choice === "system" && (
            <>
              <path d="M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0z" />
              <path className="half" d="M12 4a8 8 0 0 1 0 16z" />
            </>
          )}
        </svg>
      </button>
      {ready?.signIn && <Account signIn={ready.signIn} session={ready.session} />}
    </header>
  );
}
