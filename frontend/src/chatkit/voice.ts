/** Records a voice note and turns it into text: `POST /actions/transcribe`. */
import { arrived } from "./uploads";

export class VoiceError extends Error {
  override name = "VoiceError";
}

export type Recording = {
  /** The current volume from 0 to 1, for a meter. */
  level(): number;
  /** Ends the recording and returns the audio. */
  stop(): Promise<Blob>;
  /** Ends the recording and discards it. */
  cancel(): void;
};

/** The first type that the browser supports is used: Chrome, Firefox, Safari. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/** Asks for the microphone and starts. Throws a `VoiceError` whose message the visitor can read. */
export async function startRecording(): Promise<Recording> {
  if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined") {
    throw new VoiceError("This browser cannot record here. Recording needs https or localhost.");
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
    throw new VoiceError(explain(error));
  });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
  const chunks: Blob[] = [];
  recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
  const meter = createMeter(stream);
  const release = () => {
    for (const track of stream.getTracks()) track.stop();
    meter.close();
  };
  recorder.start(250);
  return {
    level: meter.level,
    stop: () =>
      new Promise((resolve) => {
        recorder.addEventListener(
          "stop",
          () => {
            release();
            resolve(new Blob(chunks, { type: recorder.mimeType }));
          },
          { once: true },
        );
        recorder.stop();
      }),
    cancel: () => {
      if (recorder.state !== "inactive") recorder.stop();
      release();
    },
  };
}

function createMeter(stream: MediaStream): { level(): number; close(): void } {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const mean = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // Speech is around 0.05 to 0.2 RMS. Scale that to the whole meter.
      return Math.min(1, Math.sqrt(mean) * 5);
    },
    close: () => void context.close(),
  };
}

function explain(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return "The microphone is blocked for this site. Allow it in the browser's address bar, then try again.";
  }
  if (name === "NotFoundError") return "No microphone was found.";
  if (name === "NotReadableError") return "The microphone is in use by another program.";
  return "The microphone could not be started.";
}

/** A larger recording goes to S3 first, because its base64 does not fit into a Lambda request. */
const DIRECT_BYTES = 4 * 1024 * 1024;

/**
 * Returns the text of a recording, and an empty string for silence. `fetch` comes from
 * `createChatKitFetch`. Throws a `VoiceError` whose message the visitor can read.
 */
export async function transcribe(
  audio: Blob,
  options: { actions: string; fetch: typeof fetch; signal?: AbortSignal },
): Promise<string> {
  const { actions, fetch, signal } = options;
  const post = async (path: string, init: RequestInit): Promise<Record<string, unknown>> => {
    let response: Response;
    try {
      response = await fetch(`${actions}${path}`, { method: "POST", signal, ...init });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new VoiceError("The server could not be reached. Your recording was not sent.");
    }
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    if (response.ok) return answer;
    const message = typeof answer.message === "string" ? answer.message : "";
    throw new VoiceError(message || "The recording could not be written down.");
  };
  const json = (value: unknown): RequestInit => ({
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });

  if (audio.size <= DIRECT_BYTES) {
    const form = new FormData();
    form.append("file", audio, `voice-note.${extension(audio.type)}`);
    return String((await post("/transcribe", { body: form })).text ?? "");
  }
  const upload = await post("/uploads", json({ mime_type: audio.type, size: audio.size }));
  const put = await globalThis.fetch(String(upload.url), {
    method: "PUT",
    headers: upload.headers as Record<string, string>,
    body: audio,
    signal,
  });
  if (!arrived(put.status)) throw new VoiceError("The recording could not be uploaded.");
  return String((await post("/transcribe", json({ key: upload.key }))).text ?? "");
}

function extension(mimeType: string): string {
  if (mimeType.includes("webm")) return "webm";
  if (mimeType.includes("ogg")) return "ogg";
  return "m4a";
}
