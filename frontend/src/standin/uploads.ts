/** Uploads attachments in two phases: announces the file, then sends it to the given address. */
import type { ComposerOption } from "@openai/chatkit";
import { randomId } from "../chatkit/ids";
import { arrived } from "../chatkit/uploads";
import { ApiError, type Client } from "./client";
import type { Attachment } from "./types";

export type Upload = {
  key: string;
  name: string;
  mimeType: string;
  size: number;
  state: "uploading" | "done" | "failed";
  /** 0 to 1. */
  progress: number;
  error?: string;
  previewUrl?: string;
  attachment?: Attachment;
  cancel?: () => void;
};

type Limits = NonNullable<ComposerOption["attachments"]>;

const MB = 1024 * 1024;

/** A sentence that says why a file cannot be attached, or `null`. */
export function refusal(file: File, limits: Limits, already: number): string | null {
  const most = limits.maxCount ?? 10;
  if (already >= most) return `At most ${most} files can be attached to a message.`;
  const largest = largestFor(file.type, limits.maxSize);
  if (file.size > largest) return `${file.name} is larger than ${Math.floor(largest / MB)} MB.`;
  if (file.size === 0) return `${file.name} is empty.`;
  if (!accepted(file, limits.accept)) {
    return `${file.name} cannot be attached. Possible types: ${taken(limits.accept)}.`;
  }
  return null;
}

/** The names' endings, or `text` for the many of `text/*`. */
const taken = (accept: Limits["accept"]): string =>
  Object.entries(accept ?? {})
    .flatMap(([type, extensions]) => {
      if (type.endsWith("/*")) return [type.slice(0, -2)];
      return extensions.length > 0 ? extensions : [type];
    })
    .join(", ");

function largestFor(mimeType: string, maxSize: Limits["maxSize"]): number {
  if (typeof maxSize === "number") return maxSize;
  const entries = Object.entries(maxSize ?? {});
  const match = entries.find(
    ([pattern]) => pattern !== "*" && pattern && matches(mimeType, pattern),
  );
  return match?.[1] ?? maxSize?.["*"] ?? maxSize?.[""] ?? 100 * MB;
}

function accepted(file: File, accept: Limits["accept"]): boolean {
  if (!accept || Object.keys(accept).length === 0) return true;
  const name = file.name.toLowerCase();
  return Object.entries(accept).some(
    ([pattern, extensions]) =>
      matches(file.type, pattern) ||
      extensions.some((ending) => name.endsWith(ending.toLowerCase())),
  );
}

function matches(mimeType: string, pattern: string): boolean {
  if (pattern.endsWith("/*")) return mimeType.startsWith(pattern.slice(0, -1));
  return mimeType === pattern;
}

/** The value of `<input accept>`. */
export const acceptAttribute = (accept: Limits["accept"]): string =>
  Object.entries(accept ?? {})
    .flatMap(([type, extensions]) => [type, ...extensions])
    .join(",");

/** Starts an upload and reports through `changed`; never throws. */
export function startUpload(file: File, client: Client, changed: () => void): Upload {
  const upload: Upload = {
    key: randomId(),
    name: file.name,
    mimeType: file.type || "application/octet-stream",
    size: file.size,
    state: "uploading",
    progress: 0,
    previewUrl: file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined,
  };
  const finish = (state: "done" | "failed", error?: string) => {
    upload.state = state;
    upload.error = error;
    changed();
  };
  void (async () => {
    try {
      const attachment = await client.request<Attachment>("attachments.create", {
        name: upload.name,
        size: upload.size,
        mime_type: upload.mimeType,
      });
      upload.attachment = attachment;
      if (attachment.upload_descriptor)
        await put(file, attachment.upload_descriptor, upload, changed);
      finish("done");
    } catch (error) {
      finish("failed", error instanceof ApiError ? error.message : "The upload failed.");
    }
  })();
  return upload;
}

/** Uses `XMLHttpRequest`, because `fetch` does not report the progress of an upload. */
function put(
  file: File,
  to: NonNullable<Attachment["upload_descriptor"]>,
  upload: Upload,
  changed: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(to.method, to.url);
    for (const [name, value] of Object.entries(to.headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    request.upload.addEventListener("progress", (event) => {
      upload.progress = event.loaded / (event.total || upload.size);
      changed();
    });
    request.addEventListener("load", () => {
      if (arrived(request.status)) resolve();
      else reject(new ApiError("The upload was refused.", request.status));
    });
    request.addEventListener("error", () => reject(new ApiError("The upload failed.", 0)));
    request.addEventListener("abort", () => reject(new ApiError("Cancelled.", 0)));
    upload.cancel = () => request.abort();
    request.send(file);
  });
}
