import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import type { Upload } from "../uploads";
import { toolButton } from "./parts";

export function uploadsView(chat: Chat): TemplateResult | typeof nothing {
  const { uploads } = chat.editor.composer;
  if (uploads.length === 0) return nothing;
  return html`<ul class="files">
    ${uploads.map((upload) => uploadView(chat, upload))}
  </ul>`;
}

function uploadView(chat: Chat, upload: Upload): TemplateResult {
  return html`<li class="file" data-state=${upload.state} title=${upload.error ?? upload.name}>
    ${
      upload.previewUrl
        ? html`<img src=${upload.previewUrl} alt="" />`
        : html`${icon(upload.state === "failed" ? "warning" : "document")}`
    }
    <span>${upload.error ?? upload.name}</span>
    ${
      upload.state === "uploading"
        ? html`<progress max="1" .value=${upload.progress} aria-label="Uploading ${upload.name}"></progress>`
        : nothing
    }
    ${toolButton("close", `Remove ${upload.name}`, () => chat.editor.removeUpload(upload), 14)}
  </li>`;
}
