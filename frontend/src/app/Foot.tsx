/** The line under the chat. A file of its own in the build; loads when the chat is there. */
import "./styles/your-data.css";
import { type ReactNode, useState } from "react";
import type { Ready } from "./boot";
import { texts } from "./brand";
import Usage from "./Usage";
import { yourData } from "./usage-texts";
import type YourData from "./YourData";

type Props = { ready: Ready; say: (text: string) => void };

export default function Foot({ ready, say }: Props): ReactNode {
  const { config, fetch, session, signIn } = ready;
  const [Dialog, setDialog] = useState<typeof YourData | null>(null);
  const open = () => {
    import("./YourData").then(
      (file) => setDialog(() => file.default),
      () => say(texts.startUnreachable.title),
    );
  };
  return (
    <div className="foot">
      {config.features.usage && <Usage chat={config.api.chat} fetch={fetch} />}
      <button type="button" className="your-data-button" onClick={open}>
        {yourData}
      </button>
      {Dialog && (
        <Dialog
          chat={config.api.chat}
          fetch={fetch}
          session={session}
          signOut={session.signedIn && signIn ? signIn.end : null}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}
