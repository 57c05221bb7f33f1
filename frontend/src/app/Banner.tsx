import { type ReactNode, useState } from "react";
import { texts } from "./brand";

/** One line above the chat. */
export function Banner(props: {
  id: string;
  text: string;
  tone?: "info" | "warning";
  dismissible?: boolean;
  /** What to do about it. */
  children?: ReactNode;
}) {
  const [open, setOpen] = useState(true);
  if (!open) return null;
  return (
    <div className="banner" role="status" data-banner={props.id} data-tone={props.tone ?? "info"}>
      <p>{props.text}</p>
      {props.children}
      {props.dismissible && (
        <button type="button" onClick={() => setOpen(false)} aria-label={texts.dismiss}>
          ×
        </button>
      )}
    </div>
  );
}
