import { type ReactNode, useState } from "react";

/** One line over the chat. */
export function Banner(props: {
  id: string;
  children: ReactNode;
  tone?: "info" | "warning";
  dismissible?: boolean;
}) {
  const [open, setOpen] = useState(true);
  if (!open) return null;
  return (
    <div className="banner" role="status" data-banner={props.id} data-tone={props.tone ?? "info"}>
      <p>{props.children}</p>
      {props.dismissible && (
        <button type="button" onClick={() => setOpen(false)} aria-label="Dismiss">
          ×
        </button>
      )}
    </div>
  );
}
